/** The JSON Schema of scenario files for editors, made from the same source as the checks. */
import { z } from 'zod';
import { KIND_NAMES, kindOf } from '../nodes/registry.js';
import { fileSchema } from './schema.js';

/** A JSON Schema, or a part of one. */
export type JsonSchema = Record<string, unknown>;

/**
 * The schema (draft 2020-12) of what people write: units are strings with a pattern, what has a default may be left out.
 * Variants are the same schema with nothing required and null allowed, as merge patches have it. What one file alone can't show
 * (dangling hops, loops, gates' grammar) only loading tells.
 */
export function scenarioJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const properties = schema.properties as Record<string, JsonSchema>;
  const nodes = properties.topology.additionalProperties as { oneOf: JsonSchema[] };
  for (const [index, kind] of KIND_NAMES.entries()) nodes.oneOf[index].description = kindOf(kind).summary;
  const variants = (properties.variants.anyOf as JsonSchema[]).find(({ type }) => type === 'object')!;
  variants.additionalProperties = orNull(
    patchOf({
      type: 'object',
      properties: {
        topology: { ...properties.topology, additionalProperties: anyKind(nodes.oneOf) },
        traffic: properties.traffic,
        events: properties.events,
      },
      additionalProperties: false,
    }),
  );
  return {
    $schema: schema.$schema,
    title: 'Port Party scenario',
    description: 'A chain of nodes, the burst that it meets, and the gates that must hold.',
    ...schema,
  };
}

/** A node of any kind: a patch seldom repeats the kind, so every kind's knobs are allowed. */
function anyKind(kinds: JsonSchema[]): JsonSchema {
  const forms = new Map<string, Map<string, JsonSchema>>();
  for (const kind of kinds) {
    for (const [knob, schema] of Object.entries(kind.properties as Record<string, JsonSchema>)) {
      // Kinds that share a knob mostly share its schema too, but one may set it a tighter limit.
      forms.set(knob, (forms.get(knob) ?? new Map()).set(JSON.stringify(schema), schema));
    }
  }
  const properties = Object.fromEntries(
    [...forms].map(([knob, schemas]) => [
      knob,
      schemas.size === 1 ? [...schemas.values()][0] : { anyOf: [...schemas.values()] },
    ]),
  );
  return { type: 'object', properties: { ...properties, kind: { enum: KIND_NAMES } }, additionalProperties: false };
}

/** The schema of a merge patch on what `schema` describes: every key may be missing, or null to remove it. */
function patchOf(schema: JsonSchema): JsonSchema {
  if (schema.type !== 'object') return schema;
  const { required: _, default: __, ...rest } = schema;
  const { properties, additionalProperties } = rest;
  if (properties) {
    rest.properties = Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, orNull(patchOf(value as JsonSchema))]),
    );
  }
  if (additionalProperties) rest.additionalProperties = orNull(patchOf(additionalProperties as JsonSchema));
  return rest;
}

function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] };
}
