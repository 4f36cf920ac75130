/**
 * A server on a thread of its own that answers at once, but for once: the request number `stallAt` stops the whole thread for `stallMs`.
 * Posts its port, and when asked for it (any message) what it knows: the stall's begin and end, and when it answered each request,
 * all of them CLOCK_MONOTONIC in ns.
 */
import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { stallAt, stallMs } = workerData;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const answeredNs = new Map();
let stall;
let requests = 0;

const server = net.createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (data) => {
    text += data.toString('latin1');
    if (!text.endsWith('\r\n\r\n')) return;
    const [, id] = /^X-Request-Id: (\S+)\r$/im.exec(text);
    text = '';
    if (++requests === stallAt) {
      const beginNs = process.hrtime.bigint();
      Atomics.wait(sleeper, 0, 0, stallMs);
      stall = { beginNs, endNs: process.hrtime.bigint() };
    }
    answeredNs.set(id, process.hrtime.bigint());
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => parentPort.postMessage(server.address().port));
parentPort.on('message', () => parentPort.postMessage({ stall, answeredNs }));
