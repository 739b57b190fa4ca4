import * as http from 'node:http';
import * as https from 'node:https';

export type WitnessQuestion = { old: number; proof: readonly Uint8Array[]; note: string };
export type WitnessAnswer = {
  status: number;
  /** Of a 200: lines of signatures, as they came. */
  lines: string;
  /** Of a 409: how many entries the witness has seen. */
  seen?: number;
  /** The first line of anything else. */
  text: string;
};

/** `add-checkpoint` of C2SP tlog-witness, over a connection that is kept. Follows nothing elsewhere, and reads no more than a bound. */
export function postCheckpoint(
  url: string,
  { old, proof, note }: WitnessQuestion,
  signal: AbortSignal,
): Promise<WitnessAnswer> {
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  const body = Buffer.from(`old ${old}\n${lines.join('')}\n${note}`);
  const secure = url.startsWith('https:');
  return new Promise((done, fail) => {
    const request = (secure ? https : http).request(`${url}/add-checkpoint`, {
      ...{ method: 'POST', agent: agentOf(url), signal },
      headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': body.length },
    });
    request.once('error', fail);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MOST_BYTES) request.destroy(new Error('its answer is longer than is read'));
        else chunks.push(chunk);
      });
      response.once('error', fail);
      response.once('end', () => done(answerOf(response, Buffer.concat(chunks).toString())));
    });
    request.end(body);
  });
}

/** Ends the connections to it. */
export function closeWitness(url: string): void {
  agents.get(url)?.destroy();
  agents.delete(url);
}

function answerOf({ statusCode: status = 0, headers }: http.IncomingMessage, text: string): WitnessAnswer {
  const answer = { status, lines: status === 200 ? text : '', text: text.split('\n', 1)[0]!.slice(0, 200) };
  const isSize = headers['content-type']?.startsWith('text/x.tlog.size') && /^(0|[1-9][0-9]{0,14})\n$/.test(text);
  return status === 409 && isSize ? { ...answer, seen: Number(text) } : answer;
}

function agentOf(url: string): http.Agent {
  const options = { keepAlive: true, maxSockets: 1, timeout: IDLE_MS };
  const agent = agents.get(url) ?? (url.startsWith('https:') ? new https.Agent(options) : new http.Agent(options));
  agents.set(url, agent);
  return agent;
}

const agents = new Map<string, http.Agent>();
const MOST_BYTES = 64 * 1024;
const IDLE_MS = 30_000;
