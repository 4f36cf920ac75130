/** All traffic engines: one line each. */
import { autocannonEngine } from './autocannon/engine.js';
import type { Engine } from './engine.js';
import { socketEngine } from './socket/engine.js';
import { undiciEngine } from './undici/engine.js';

/** The engines by name (`--engine`). */
export const ENGINES: Record<Engine['name'], Engine> = {
  socket: socketEngine,
  undici: undiciEngine,
  autocannon: autocannonEngine,
};
