// good_client.mjs - asks for /constant again and again until it is told "enough"; see lab.mjs.
import { parentPort, workerData } from 'node:worker_threads';
import { ask, sleep } from './lab.mjs';

const times = [], faults = [];
let running = true;
parentPort.once('message', () => { running = false; });
while (running) {
  const { status, ms } = await ask(workerData, '/constant');
  times.push(ms);
  if (status !== 200) faults.push(status);
  await sleep(10);
}
parentPort.postMessage({ times, faults });
