// The ways to publish on every push, a GitHub workflow and a hook of a bare repository, and the workflow
// that signs the channel's head on a schedule.
//
// The workflows have no third-party actions: an action is code that could sign, so it would have to be
// pinned by commit, and plain git does what is needed.
//
// SPDX-License-Identifier: Apache-2.0

// Both workflows end with the same steps; one group, so that no head is signed while a bundle is pushed.
const SETTINGS = `# Set once, in the settings of the repository:
#   variables  WARDER_URL (Git repository of Warder), WARDER_COMMIT (the full commit id to build)
#   secrets    WARDER_KEY (encrypted PKCS#8 PEM), WARDER_PASSPHRASE,
#              REGISTRY_CONFIG (a docker config.json with the credentials of the registry)
`;
const LIMITS = `permissions:
  contents: read
concurrency:
  group: publish
  cancel-in-progress: false
`;
const STEPS = `    steps:
      - name: Fetch this repository with its whole history
        env:
          TOKEN: \${{ github.token }}
        run: |
          header=$(printf 'x-access-token:%s' "$TOKEN" | base64 -w0)
          export GIT_CONFIG_COUNT=1
          export GIT_CONFIG_KEY_0=http.extraheader
          export GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $header"
          git init --quiet policies
          git -C policies fetch --quiet --tags "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" "$GITHUB_SHA"
          git -C policies checkout --quiet --detach "$GITHUB_SHA"
      - name: Build Warder at the pinned commit
        env:
          WARDER_URL: \${{ vars.WARDER_URL }}
          WARDER_COMMIT: \${{ vars.WARDER_COMMIT }}
        run: |
          git init --quiet warder
          git -C warder fetch --quiet --depth=1 "$WARDER_URL" "$WARDER_COMMIT"
          git -C warder checkout --quiet --detach "$WARDER_COMMIT"
          make -C warder setup
`;
const KEY = `        env:
          WARDER_KEY: \${{ secrets.WARDER_KEY }}
          WARDER_PASSPHRASE: \${{ secrets.WARDER_PASSPHRASE }}
          REGISTRY_CONFIG: \${{ secrets.REGISTRY_CONFIG }}
        run: |
          umask 077
          mkdir "$RUNNER_TEMP/registry"
          printf '%s' "$REGISTRY_CONFIG" > "$RUNNER_TEMP/registry/config.json"
          printf '%s' "$WARDER_KEY" > "$RUNNER_TEMP/key.pem"
          unset WARDER_KEY REGISTRY_CONFIG
`;
const HEAD = `          warder/bin/warder head --dir policies --commit "$GITHUB_SHA" --lifetime 2d \\
            --key "$RUNNER_TEMP/key.pem" --passphrase-env WARDER_PASSPHRASE \\
            --credentials "$RUNNER_TEMP/registry"
`;

/** `.github/workflows/publish.yml` of a policy repository. */
export const PUBLISH_WORKFLOW = `# Publishes the policies of main.
${SETTINGS}name: publish
on:
  push:
    branches: [main]
${LIMITS}jobs:
  publish:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
${STEPS}      - name: Publish
${KEY}          warder/bin/warder publish --dir policies --commit "$GITHUB_SHA" \\
            --key "$RUNNER_TEMP/key.pem" --passphrase-env WARDER_PASSPHRASE \\
            --credentials "$RUNNER_TEMP/registry"
${HEAD}`;

/** `.github/workflows/head.yml`: hosts with a \`freshness\` in their trust policy notice when it stops. */
export const HEAD_WORKFLOW = `# Signs which bundle is the newest, four times a day. It builds the bundle of main again and signs only
# what the registry serves of it. Its key may be another one, which hosts trust for heads only.
${SETTINGS}name: head
on:
  schedule:
    - cron: '17 1,7,13,19 * * *'
  workflow_dispatch:
${LIMITS}jobs:
  head:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
${STEPS}      - name: Sign the head
${KEY}${HEAD}`;

/** `hooks/post-receive` of a bare repository. */
export const PUBLISH_HOOK = `#!/bin/sh
# Publishes each push to main from a bare repository. Copy it to hooks/post-receive there, and set the
# three paths. The hook reads objects only: there is no work tree, and nothing of the push is executed.
set -eu

WARDER=\${WARDER:-warder}
WARDER_KEY_FILE=\${WARDER_KEY_FILE:-/etc/warder/publish/key.pem}
WARDER_PASSPHRASE_FILE=\${WARDER_PASSPHRASE_FILE:-/etc/warder/publish/passphrase}

while read -r _old new ref; do
  [ "$ref" = refs/heads/main ] || continue
  case $new in *[!0]*) ;; *) continue ;; esac # the branch was deleted
  "$WARDER" publish --dir "$PWD" --commit "$new" \\
    --key "$WARDER_KEY_FILE" --passphrase-file "$WARDER_PASSPHRASE_FILE"
  # Run this line from cron too, with --commit main: hosts notice when heads stop.
  "$WARDER" head --dir "$PWD" --commit "$new" --lifetime 2d \\
    --key "$WARDER_KEY_FILE" --passphrase-file "$WARDER_PASSPHRASE_FILE"
done
`;
