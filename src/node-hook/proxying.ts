/** What programs on older versions of Node need to reach the run's proxy; loaded when the first of them loads http or takes fetch. */
export { leadAgents } from './lead-agents.ts';
export { leadFetch } from './lead-fetch.ts';
