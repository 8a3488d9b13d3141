// SPDX-License-Identifier: Apache-2.0
// What building and testing Warder needs from the system: a Debian package each, with a file of it by which
// another system can tell that it has the same. Names without a slash are looked up on PATH.

export const PACKAGES = [
  { name: 'bpftool', probe: '/usr/sbin/bpftool' },
  // Disks for the guest: this one and the others of its kind.
  { name: 'btrfs-progs', probe: '/sbin/mkfs.btrfs' },
  { name: 'busybox-static', probe: '/bin/busybox' }, // the guest's user space
  { name: 'clang', probe: 'clang' }, // the BPF programs
  { name: 'clang-format', probe: 'clang-format' },
  { name: 'dosfstools', probe: '/sbin/mkfs.vfat' },
  { name: 'docker-registry', probe: 'docker-registry' }, // for tests and demo, on loopback
  { name: 'e2fsprogs', probe: '/sbin/mke2fs' },
  { name: 'erofs-utils', probe: '/usr/bin/mkfs.erofs' },
  { name: 'g++', probe: 'g++' }, // the addon, and C under sanitizers
  { name: 'libbpf-dev', probe: '/usr/include/bpf/libbpf.h' },
  { name: 'libc6-dev', probe: '/usr/include/stdio.h' },
  { name: 'libelf-dev', probe: '/usr/include/libelf.h' },
  { name: 'llvm', probe: 'llvm-strip' }, // llvm-strip, llvm-objdump
  { name: 'make', probe: 'make' },
  { name: 'openssl', probe: 'openssl' },
  { name: 'pkg-config', probe: 'pkg-config' },
  { name: 'qemu-system-x86', probe: 'qemu-system-x86_64' }, // the guest
  { name: 'squashfs-tools', probe: '/usr/bin/mksquashfs' },
  { name: 'xfsprogs', probe: '/sbin/mkfs.xfs' },
  { name: 'xz-utils', probe: 'xz' }, // newer kernels compress their modules
  { name: 'zlib1g-dev', probe: '/usr/include/zlib.h' },
];
