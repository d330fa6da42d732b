import { createRequire } from 'node:module';
import path from 'node:path';
import { InvalidOptionsError } from '@socketcluster-ts/core';
import ws, { WebSocketServer } from 'ws';
import { CustomEngine, type WebSocketModule } from './custom-engine.js';
import type { EngineOptions, EngineServer } from './engine.js';
import { WsEngine } from './ws-engine.js';

/**
 * Starts the WebSocket engine named by the option `wsEngine` on the HTTP server. The library `ws` we depend on, by
 * name or as a module, gets the fast lane.
 *
 * A name or path is looked up from the working directory, then from here.
 * @throws {InvalidOptionsError} when there is no such module, or it has no `Server` to construct
 */
export function createEngine(wsEngine: string | object, options: EngineOptions): EngineServer {
  if (wsEngine === 'ws' || wsEngine === ws) return new WsEngine(options);
  const loaded: unknown = typeof wsEngine === 'string' ? load(wsEngine) : wsEngine;
  const module = asModule(loaded) ?? asModule((loaded as { default?: unknown } | null)?.default);
  if (module === undefined) {
    const given = typeof wsEngine === 'string' ? JSON.stringify(wsEngine) : 'a module without it';
    throw new InvalidOptionsError(`The wsEngine option must be a module with a Server class - Got ${given}`);
  }
  if ((module.Server as unknown) === WebSocketServer) return new WsEngine(options);
  return new CustomEngine(module, options);
}

function asModule(value: unknown): WebSocketModule | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  const { Server, WebSocketServer: namedServer } = value as Record<string, unknown>;
  const constructor = Server ?? namedServer;
  return typeof constructor === 'function' ? { Server: constructor as WebSocketModule['Server'] } : undefined;
}

function load(name: string): unknown {
  const fromWorkingDirectory = createRequire(path.join(process.cwd(), 'package.json'));
  for (const require of [fromWorkingDirectory, createRequire(import.meta.url)]) {
    let file: string;
    try {
      file = require.resolve(name);
    } catch {
      continue;
    }
    // What the module itself throws is not ours to hide.
    return require(file);
  }
  throw new InvalidOptionsError(
    `The wsEngine option must be the name or path of a module that is installed - Got ${JSON.stringify(name)}`,
  );
}
