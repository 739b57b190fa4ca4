const EVERY = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'];

/**
 * What events must have: members with the requirement `required`, and those of a constraint `at_least_one` (`a|b`), from github.com/ocsf/ocsf-schema: events/base_event.json, system/system.json,
 * system/file_activity.json, system/process_activity.json, network/network.json, network/http_activity.json, network/dns_activity.json, application/application_lifecycle.json,
 * and the files of objects. Where versions 1.0 to 1.6 differ, what any of them requires.
 */
export const REQUIRED = {
  classes: {
    1001: [...EVERY, 'actor', 'device', 'file'],
    1007: [...EVERY, 'actor', 'device', 'process'],
    4001: [...EVERY, 'dst_endpoint'],
    4002: [...EVERY, 'dst_endpoint', 'http_request|http_response'],
    4003: [...EVERY, 'dst_endpoint', 'query'],
    6002: [...EVERY, 'app'],
  },
  objects: {
    metadata: ['product', 'version'],
    'metadata.product': ['name', 'vendor_name'],
    device: ['type_id', 'hostname|ip|uid|name'],
    'device.os': ['name', 'type_id'],
    actor: ['process|user'],
    'actor.process': ['pid|uid'],
    'actor.process.file': ['name', 'type_id'],
    process: ['pid|uid'],
    'process.file': ['name', 'type_id'],
    file: ['name', 'type_id'],
    file_result: ['name', 'type_id'],
    app: ['name', 'vendor_name'],
    dst_endpoint: ['hostname|ip|name|uid'],
    src_endpoint: ['hostname|ip|name|uid'],
    connection_info: ['direction_id'],
    query: ['hostname'],
    http_request: ['http_method'],
    'http_request.url': ['hostname', 'path', 'url_string'],
    firewall_rule: ['name|uid'],
    policy: ['name|uid'],
  },
} as const;
