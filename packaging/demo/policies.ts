// The three versions of the demo's policy, as its author pushes them.
//
// SPDX-License-Identifier: Apache-2.0

const SECRETS = '/disk/app/secrets.conf';
const SETTINGS = '/disk/app/settings.conf';
const HEALTH = '/disk/app/health';

/** Files of the application that the demo protects. */
export const PATHS = {
  secrets: SECRETS,
  settings: SETTINGS,
  health: HEALTH,
  /** A hard link to the secrets that was made before there was a policy. */
  oldLink: '/disk/backup/secrets.conf',
  newLink: '/disk/backup/another.conf',
  replacement: '/disk/app/secrets.conf.new',
  /** In the same folder, and nobody's business. */
  unprotected: '/disk/app/cache.tmp',
} as const;

/** Makes those files, as an installed application has them. */
export const INSTALL_APPLICATION = `
mkdir -p /disk/app /disk/backup
echo 'password = correct horse' > ${SECRETS}
echo 'workers = 4' > ${SETTINGS}
echo ok > ${HEALTH}
ln ${SECRETS} ${PATHS.oldLink}
echo 'password = of the attacker' > ${PATHS.replacement}`;

/** The application's own health check, which the host's configuration names. */
export const HEALTH_PROBE = { name: 'app-health', command: ['/usr/bin/cat', HEALTH] } as const;

export const POLICY_FILE = 'policies/app-secrets.yaml';

const HEAD = `apiVersion: warder.dev/v1alpha1
kind: FilePolicy
metadata:
  name: app-secrets
  description: What the application runs on changes only through a release.
spec:
  mode: enforce
  rules:
    - id: secrets
      reason: The secrets of the application change only through a release.
      protect:
        - path: ${SECRETS}
      deny: modify
`;

const SETTINGS_RULE = `    - id: settings
      reason: Settings are reviewed in Git, not edited on hosts.
      protect:
        - path: ${SETTINGS}
      deny: modify
`;

// Well meant, signed, and wrong: the health check reads in that folder too.
const FOLDER_RULE = `    - id: folder
      reason: Nobody looks around in the folder of the application.
      protect:
        - tree: /disk/app
      deny: [read]
`;

const TESTS = `apiVersion: warder.dev/v1alpha1
kind: PolicyTest
tests:
  - name: nobody changes the secrets
    request: { operation: write, path: ${SECRETS} }
    expect: deny
    rule: app-secrets/secrets
`;

/** Version 1: the secrets. The example that \`warder init\` wrote goes. */
export const VERSION_1 = {
  [POLICY_FILE]: HEAD,
  'policies/app-secrets.test.yaml': TESTS,
  'policies/example.yaml': null,
  'policies/example.test.yaml': null,
} as const;

/** Version 2: the settings too. */
export const VERSION_2 = { [POLICY_FILE]: `${HEAD}${SETTINGS_RULE}` } as const;

/** Version 3: breaks the health check of the hosts. */
export const VERSION_3 = { [POLICY_FILE]: `${HEAD}${SETTINGS_RULE}${FOLDER_RULE}` } as const;

/** What a stranger would like to be enforced: as good as nothing. */
export const OF_A_STRANGER = {
  [POLICY_FILE]: HEAD.replace(SECRETS, '/disk/app/nothing.conf'),
  'policies/app-secrets.test.yaml': TESTS.replace('expect: deny', 'expect: allow').replace(
    '    rule: app-secrets/secrets\n',
    '',
  ),
} as const;
