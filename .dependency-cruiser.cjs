// The import table of ARCHITECTURE.md as rules. Each rule says in plain words what it protects.
const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.ts$' },
  to: { pathNot: allowed },
});
const NODE = '^node:|^(node:)?(fs|path|os|net|crypto|util|url|stream|child_process|worker_threads|events|timers|buffer|sqlite|zlib|assert|process|module)(/|$)';
const oneHome = (name, pkg, home) => ({
  name,
  comment: `${pkg} has one home, so that replacing it touches one folder.`,
  severity: 'error',
  from: { pathNot: [...home, '\\.test\\.ts$'] },
  to: { path: `node_modules/${pkg}` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', comment: 'Data flows one way.', severity: 'error', from: {}, to: { circular: true } },
    only('core-is-pure', 'The core decides without effects: it imports only itself.', '^src/core/', ['^src/core/']),
    only('ports-are-types', 'Ports are interfaces over core types.', '^src/ports\\.ts$', ['^src/core/']),
    only('wire-is-formats', 'Formats live in wire, over core types, with zod.', '^src/wire/', [
      '^src/(core|wire)/', 'node_modules/(zod|yaml|canonicalize)/', NODE,
    ]),
    only('adapters-act', 'An adapter knows the core, the formats, its port and its own package.', '^src/adapters/([^/]+)/', [
      '^src/(core|wire)/', '^src/ports\\.ts$', '^src/adapters/$1/', '^src/adapters/disk/plain-file\\.ts$', NODE, 'node_modules/',
      '^(node:)?(http|https|tls|vm)$',
    ]),
    only('decision-is-shared', 'From bytes to a decision: for agent, enforcer and command line.', '^src/decision/', [
      '^src/(core|wire|decision)/', '^src/ports\\.ts$',
    ]),
    only('controller-is-blind', 'The controller sees ports, never adapters.', '^src/controller/', [
      '^src/(core|wire|controller|decision)/', '^src/ports\\.ts$',
    ]),
    only('publisher-is-blind', 'The publisher sees ports, never adapters.', '^src/publisher/', [
      '^src/(core|wire|publisher)/', '^src/ports\\.ts$',
    ]),
    only('cli-is-blind', 'Commands see ports, never adapters.', '^src/cli/', [
      '^src/(core|wire|controller|decision|publisher|cli)/', '^src/ports\\.ts$', 'node_modules/commander/', NODE,
    ]),
    only('enforcer-stands-alone', 'The privileged process takes nothing of the agent.', '^src/enforcer/', [
      '^src/(core|wire|decision|enforcer)/', '^src/ports\\.ts$', '^src/adapters/(kernel|sigstore|disk|log|clock)/', NODE,
    ]),
    {
      name: 'agent-never-native',
      comment: 'The agent graph never reaches the addon.',
      severity: 'error',
      from: { path: '^src/(main|process|startup-snapshot|compose(-agent|-places|-registry|-update)?)\\.ts$|^src/(cli|controller|publisher)/' },
      to: { path: '^src/adapters/kernel/|^src/enforcer/|^native/' },
    },
    {
      name: 'compose-alone-names-adapters',
      comment: 'Only the composition roots name adapters.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/compose(-agent|-places|-registry|-update)?\\.ts$', '^src/startup-snapshot\\.ts$', '^src/enforcer/compose\\.ts$', '^src/adapters/', '\\.test\\.ts$', '^src/enforcer/'] },
      to: { path: '^src/adapters/' },
    },
    oneHome('execa-home', 'execa/', ['^src/adapters/(oras|git)/']),
    oneHome('sigstore-home', '@sigstore/', ['^src/adapters/sigstore/']),
    oneHome('noble-home', '@noble/', ['^src/adapters/sigstore/prehashed']),
    oneHome('tuf-home', '(tuf-js|@tufjs)/', ['^src/adapters/tuf/']),
    {
      name: 'tuf-by-hand-only',
      comment: 'A person updates trusted roots by `warder trust update`; what runs by itself never asks a TUF repository.',
      severity: 'error',
      from: { path: '^src/(compose-agent|compose-places|compose-registry|enforcer/main)\\.ts$|^src/(controller|enforcer|publisher)/' },
      to: { path: '^src/adapters/tuf/|node_modules/(tuf-js|@tufjs)/', reachable: true },
    },
    oneHome('pino-home', 'pino/', ['^src/adapters/log/']),
    oneHome('zod-home', 'zod/', ['^src/wire/']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
