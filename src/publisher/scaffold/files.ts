// What `warder init` writes: a policy repository that lints, tests, builds and can be published as it is.
// Data only; a test builds it.
//
// SPDX-License-Identifier: Apache-2.0

import { HEAD_WORKFLOW, PUBLISH_HOOK, PUBLISH_WORKFLOW } from './automation.ts';

/** A file of the new repository. */
export interface ScaffoldFile {
  readonly path: string;
  readonly text: string;
  readonly isExecutable: boolean;
}

/** What the author may say; the rest is edited in the files. */
export interface ScaffoldAnswers {
  readonly name: string;
  readonly tenant: string;
  readonly channel: string;
  /** Canonical repository of the bundles. */
  readonly repository: string;
  /** Canonical URL of the Git repository. */
  readonly source: string;
}

/** The files of a new policy repository. */
export function initRepository(options: ScaffoldAnswers): readonly ScaffoldFile[] {
  return [
    plain('warder.yaml', configOf(options)),
    plain('policies/example.yaml', EXAMPLE_POLICY),
    plain('policies/example.test.yaml', EXAMPLE_TEST),
    plain('README.md', readmeOf(options)),
    plain('.gitignore', '# Keys never are committed.\n*.pem\n*.key\n.env\n'),
    plain('.github/workflows/publish.yml', PUBLISH_WORKFLOW),
    plain('.github/workflows/head.yml', HEAD_WORKFLOW),
    { path: 'hooks/post-receive', text: PUBLISH_HOOK, isExecutable: true },
  ];
}

function plain(path: string, text: string): ScaffoldFile {
  return { path, text, isExecutable: false };
}

function configOf({ name, tenant, channel, repository, source }: ScaffoldAnswers): string {
  return `# How this repository is published. Hosts compare all of it with their trust policy.
apiVersion: warder.dev/v1alpha1
kind: PolicyRepository
name: ${name}
tenant: ${tenant}
channel: ${channel}
# Where the bundles go, and the name that is signed.
repository: ${repository}
source:
  repository: ${source}
  # The one ref that is published.
  ref: refs/heads/main
# After this a host takes no bundle of this commit any more; what is enforced stays enforced.
lifetime: 90d
policies: policies
builder:
  id: ${source}/publish
`;
}

const EXAMPLE_POLICY = `apiVersion: warder.dev/v1alpha1
kind: FilePolicy
metadata:
  name: example
  description: The login banner changes only through a new release of this repository.
spec:
  # audit: nothing is denied yet, events say what would be. Change to enforce when they are quiet.
  mode: audit
  rules:
    - id: banner
      reason: The login banner is part of the host image.
      protect:
        - path: /etc/issue
      deny: modify
`;

const EXAMPLE_TEST = `apiVersion: warder.dev/v1alpha1
kind: PolicyTest
tests:
  - name: nobody writes the banner
    request: { operation: write, path: /etc/issue }
    expect: audit
    rule: example/banner
  - name: nobody replaces it by a new file
    request: { operation: rename, path: /etc/issue.new, to: /etc/issue, replaces: true }
    expect: audit
    rule: example/banner
  - name: everybody reads it
    request: { operation: read, path: /etc/issue }
    expect: allow
`;

function readmeOf({ name, channel, repository }: ScaffoldAnswers): string {
  return `# ${name}

Policies that hosts enforce in their kernels. A push to \`main\` becomes a signed bundle at
\`${repository}:${channel}\`.

- \`policies/*.yaml\`: what is protected. \`policies/*.test.yaml\`: what must hold; publishing stops when it does not.
- \`warder.yaml\`: name, channel, registry and lifetime of the bundles.

Try it before you push:

    warder lint
    warder test
    warder build

The version of a bundle is the number of commits on \`main\`, or the tag \`vN\` of the commit. It only goes
up: to undo a change, commit its revert.

Publish from GitHub with \`.github/workflows/publish.yml\`, or from any Git server with \`hooks/post-receive\`.
\`warder head\` signs which bundle is the newest, here four times a day (\`.github/workflows/head.yml\`): a host that demands heads
notices when somebody hides new bundles from it.
The signing key is made once with \`warder key generate\`; its public half goes into the trust policy of the
hosts, and nothing of it into this repository.
`;
}
