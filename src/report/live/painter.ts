/** The thread that paints the live view: first it steps back behind all others, then it loads what it needs. */
import { workerData } from 'node:worker_threads';
import { runOnlyWhenIdle } from '../../sys/scheduling.js';
import type { PainterInput } from './message.js';

runOnlyWhenIdle();
const { paintAsTold } = await import('./paint.js');
paintAsTold(workerData as PainterInput);
