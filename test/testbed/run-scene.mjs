/** Runs one scene inside the real isolation and prints what it returns as JSON: `node run-scene.mjs <file> <name> [argument]`. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isIsolated, isolate } from '../../dist/testbed/netns/isolate.js';

if (isIsolated()) {
  const { enterIsolated } = await import('../../dist/testbed/netns/enter.js');
  // A scene that is asked to be deaf only ends when it is killed.
  enterIsolated(() => process.env.SCENE_DEAF || process.exit(130));
  const [, , file, name, argument = 'null'] = process.argv;
  const scenes = await import(pathToFileURL(file).href);
  try {
    console.log(JSON.stringify((await scenes[name](JSON.parse(argument))) ?? null));
    process.exit(0);
  } catch (error) {
    console.log(
      JSON.stringify({ error: error.message, where: error.where, hint: error.hint, exitCode: error.exitCode }),
    );
    process.exit(0);
  }
} else {
  const argv = process.argv.slice(1);
  argv[1] = join(process.cwd(), argv[1]);
  process.exitCode = await isolate(argv, process.env);
}
