/** The user's own VCL made fit for the testbed: placeholders filled. Logging needs nothing: varnish logs whatever the VCL does. */
import type { Endpoint } from '../../topology/plan.js';
import type { VarnishSpec } from '../varnish.js';
import { addBackends, backendDeclarations } from './vcl.js';

/** Statements that keep the request's id from the backends' logs. */
const HIDES_ID = /\b(?:unset|set|remove)\s+(?:req|bereq)\.http\.X-Request-Id\b/i;
const INCLUDE = /^\s*include\s+"([^"]+)"/m;

/** What attribution cannot see: requests may then be without a line in the backends' logs. */
export interface AdaptedVcl {
  text: string;
  reducedAttribution?: string;
}

/**
 * Fills `{{backends}}` (`backend` declarations: backend0, backend1, …) and `{{add_backends NAME}}` (statements that put all of them
 * into the director of that name).
 */
export function adaptVcl(userText: string, spec: VarnishSpec, backends: Endpoint[]): AdaptedVcl {
  const text = userText
    .replaceAll('{{backends}}', backendDeclarations(spec, backends))
    .replaceAll(/\{\{add_backends (\w+)\}\}/g, (_, director: string) => addBackends(director, backends));
  // What a comment says is not done.
  const code = userText.replaceAll(/\/\*.*?\*\/|(?:#|\/\/)[^\n]*/gs, '');
  const reasons = [
    HIDES_ID.exec(code)?.[0] && `\`${HIDES_ID.exec(code)![0]}\` takes the request's id from the backends`,
    INCLUDE.exec(code)?.[1] && `what an included file does is not seen: ${INCLUDE.exec(code)![1]}`,
  ].filter((reason) => reason !== undefined);
  return { text, reducedAttribution: reasons.length > 0 ? reasons.join('; ') : undefined };
}
