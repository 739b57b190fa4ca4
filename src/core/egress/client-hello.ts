/** What a ClientHello says that matters here. */
export type ClientHello = {
  /** The host_name of server_name (RFC 6066, 3) as it came, ASCII; undefined without the extension. */
  serverName: string | undefined;
};
