#!/usr/bin/env python3
"""Fails unless a native library is one that can be shipped, and otherwise tells in a line what it is.

    check-library.py [--development] [--debug <directory>] <platform> <library>

It is of the right architecture, needs what every system has and no newer version of that than is promised, shows JNI alone, has the
backends of its platform, cannot be used to run what is written, and knows nothing of the machine it was built on. With --development
it may need this machine's C library. With --debug, what keep-debug.py has kept of the library there belongs to it and to no other, tells
lines of source, and knows nothing of the machine either.
"""
import argparse
import os
import re
import struct
import sys

JNI = re.compile(r'Java_\w+|JNI_On(Load|Unload)\w*')
# What only ELF's version script can hide. JavaCPP's callbacks and the unwinder are in nobody's way; macOS takes the first operators new and
# delete of a process for all of it, which are the same by malloc() and free().
CALLBACK = r'JavaCPP_\w+_callback\d*'
VISIBLE = {
    'ELF': JNI,
    'Mach-O': re.compile(JNI.pattern + '|' + CALLBACK + r'|Z(nw|na|dl|da)\w+|dso_handle|mh_dylib_header'),
    'PE': re.compile(JNI.pattern + '|' + CALLBACK + r'|_Unwind_\w+|unw_\w+|_GCC_specific_handler'),
}
GLIBC = re.compile(r'lib(c|m)\.so\.6|lib(pthread|dl)\.so\.[0-2]|librt\.so\.1|ld(64)?(-linux[\w-]*)?\.so\.[1-3]')
MACOS = re.compile(r'/usr/lib/libSystem\.B\.dylib')
WINDOWS = re.compile(r'(kernel32|ws2_32|advapi32|iphlpapi|bcrypt|shell32|api-ms-win-crt-[\w-]+)\.dll', re.IGNORECASE)

# By platform: format and machine, what may be needed, the newest version of it, and what the backends call.
LINUX_BACKENDS = {'epoll': 'epoll_wait', 'poll': 'poll', 'select': 'select'}
MACOS_BACKENDS = {'kqueue': 'kevent', 'poll': 'poll', 'select': 'select'}
PLATFORMS = {
    'linux-x86_64': (('ELF', 64, 62, None), GLIBC, '2.17', LINUX_BACKENDS),
    'linux-arm64': (('ELF', 64, 183, None), GLIBC, '2.17', LINUX_BACKENDS),
    'linux-armhf': (('ELF', 32, 40, 'hard float'), GLIBC, '2.17', LINUX_BACKENDS),
    'linux-ppc64le': (('ELF', 64, 21, 'ELFv2'), GLIBC, '2.19', LINUX_BACKENDS),
    'linux-riscv64': (('ELF', 64, 243, 'double float'), GLIBC, '2.27', LINUX_BACKENDS),
    'macosx-x86_64': (('Mach-O', 64, 0x01000007, None), MACOS, '11.0', MACOS_BACKENDS),
    'macosx-arm64': (('Mach-O', 64, 0x0100000c, None), MACOS, '11.0', MACOS_BACKENDS),
    'windows-x86_64': (('PE', 64, 0x8664, None), WINDOWS, '6.0', {'win32': 'select'}),
}


class Library:
    """What is looked at, whatever the format."""

    def __init__(self, data):
        self.data = data
        self.machine = None     # as in the table
        self.needed = []
        self.newest = '0'       # version of what is needed
        self.exports = []
        self.imports = set()
        self.faults = []        # what must not be, in words
        self.id = None          # by which a debugger knows it
        self.loaded = {}        # address, size and content of its sections, by name
        self.debug = set()      # the names of those for a debugger

    def unpack(self, form, offset):
        return struct.unpack_from('<' + form, self.data, offset)

    def string(self, offset):
        end = self.data.find(b'\0', offset)
        if end < 0:
            raise ValueError('is damaged')
        return self.data[offset:end].decode(errors='backslashreplace')


def version(text):
    return [int(number) for number in text.split('.')]


class Elf(Library):
    ABIS = {40: (0x400, {0x400: 'hard float'}), 21: (3, {2: 'ELFv2'}), 243: (6, {4: 'double float'})}

    def __init__(self, data):
        super().__init__(data)
        wide = data[4] == 2
        if data[5] != 1:
            raise ValueError('is big-endian')
        kind, machine = self.unpack('HH', 16)
        if kind != 3:
            raise ValueError('is not a shared library')
        flags, = self.unpack('I', 48 if wide else 36)
        mask, names = self.ABIS.get(machine, (0, {}))
        self.machine = ('ELF', 64 if wide else 32, machine, names.get(flags & mask))
        sections, = self.unpack('Q' if wide else 'I', 40 if wide else 32)
        size, count, names = self.unpack('HHH', 58 if wide else 46)
        self.sections = {}
        headers = [self.unpack('IIQQQQIIQQ' if wide else 'IIIIIIIIII', sections + i * size) for i in range(count)]
        for header in headers:
            self.sections[self.string(headers[names][4] + header[0])] = header
        self.read_segments(wide)
        self.read_dynamic(wide)
        self.read_symbols(wide)
        self.read_versions()
        for name, (_, kind, flags, address, start, size, *_) in self.sections.items():
            if flags & 2:
                self.loaded[name] = (address, size, data[start:start + size] if kind != 8 else None)
            if name == '.note.gnu.build-id':
                self.id = data[start + 16:start + size].hex()
            if name.startswith('.debug'):
                self.debug.add(name)
        self.faults += ['has debug information'] if self.debug else []
        self.faults += ['has a symbol table' for name in self.sections if name == '.symtab']

    def read_segments(self, wide):
        start, = self.unpack('Q' if wide else 'I', 32 if wide else 28)
        size, count = self.unpack('HH', 54 if wide else 42)
        stack = None
        for i in range(count):
            kind, second = self.unpack('II', start + i * size)
            flags = second if wide else self.unpack('I', start + i * size + 24)[0]
            if kind == 0x6474e551:
                stack = flags
            if kind == 1 and flags & 3 == 3:
                self.faults.append('has a segment that is both written and executed')
        if stack is None or stack & 1:
            self.faults.append('asks for an executable stack')

    def read_dynamic(self, wide):
        section, strings = self.sections['.dynamic'], self.sections['.dynstr'][4]
        size = 16 if wide else 8
        for i in range(section[5] // size):
            tag, value = self.unpack('qQ' if wide else 'iI', section[4] + i * size)
            if tag == 0:
                break
            if tag == 1:
                self.needed.append(self.string(strings + value))
            if tag in (15, 29):
                self.faults.append('has an rpath')
            if tag == 22 or (tag == 30 and value & 4):
                self.faults.append('has text relocations')

    def read_symbols(self, wide):
        section, strings = self.sections['.dynsym'], self.sections['.dynstr'][4]
        size = 24 if wide else 16
        for i in range(1, section[5] // size):
            at = section[4] + i * size
            if wide:
                name, info, _, index = self.unpack('IBBH', at)
            else:
                name, _, _, info, _, index = self.unpack('IIIBBH', at)
            name = self.string(strings + name)
            if index == 0:
                self.imports.add(name)
            elif info >> 4 != 0:
                self.exports.append(name)

    def read_versions(self):
        section, strings = self.sections.get('.gnu.version_r'), self.sections['.dynstr'][4]
        if section is None:
            return
        at = section[4]
        for _ in range(section[7]):
            _, count, _, first, following = self.unpack('HHIII', at)
            entry = at + first
            for _ in range(count):
                _, _, _, name, behind = self.unpack('IHHII', entry)
                name = self.string(strings + name)
                if not re.fullmatch(r'GLIBC_[\d.]+', name):
                    self.faults.append('needs ' + name)
                elif version(name[6:]) > version(self.newest):
                    self.newest = name[6:]
                entry += behind
            at += following


class MachO(Library):
    def __init__(self, data):
        super().__init__(data)
        _, machine, _, kind, commands, _, flags = self.unpack('IIIIIII', 0)
        if kind not in (6, 10): # 10: its companion for a debugger
            raise ValueError('is not a dynamic library')
        self.machine = ('Mach-O', 64, machine, None)
        if flags & 0x20000:
            self.faults.append('asks for an executable stack')
        signed, at = False, 32
        for _ in range(commands):
            command, size = self.unpack('II', at)
            if command in (0xc, 0x80000018, 0x8000001f, 0x23): # a dylib, weak, reexported, upward
                self.needed.append(self.string(at + self.unpack('I', at + 8)[0]))
            elif command == 0xd and not self.string(at + self.unpack('I', at + 8)[0]).startswith('@rpath/'):
                self.faults.append('has an install name with a path')
            elif command == 0x8000001c:
                self.faults.append('has an rpath')
            elif command == 0x2: # symbols
                self.read_symbols(*self.unpack('IIII', at + 8))
            elif command == 0x32: # the build's version
                self.read_version(self.unpack('I', at + 12)[0])
            elif command == 0x24:
                self.read_version(self.unpack('I', at + 8)[0])
            elif command == 0x1d:
                signed = True
            elif command == 0x19: # a segment
                if self.unpack('II', at + 56)[1] & 6 == 6:
                    self.faults.append('has a segment that is both written and executed')
                for i in range(self.unpack('I', at + 64)[0]):
                    self.read_section(at + 72 + i * 80, kind == 6)
                self.faults += ['has debug information'] if self.debug else []
            elif command == 0x1b:
                self.id = self.data[at + 8:at + 24].hex()
            at += size
        if machine == 0x0100000c and not signed:
            self.faults.append('has no signature, which this architecture demands')

    def read_section(self, at, whole):
        name, segment = (field.rstrip(b'\0').decode() for field in self.unpack('16s16s', at))
        address, size, start = self.unpack('QQI', at + 32)
        if segment == '__DWARF':
            self.debug.add(name.replace('__', '.', 1))
        else:
            self.loaded[segment + name] = (address, size, self.data[start:start + size] if whole and start else None)

    def read_version(self, packed):
        self.newest = '%d.%d' % (packed >> 16, packed >> 8 & 255)

    def read_symbols(self, start, count, strings, _):
        for i in range(count):
            name, kind, _, _, _ = self.unpack('IBBHQ', start + i * 16)
            if kind & 0xe0: # for a debugger
                self.faults += ['has debug information'] if 'has debug information' not in self.faults else []
            elif kind & 1 and not kind & 0x10: # external, and not private
                name = self.string(strings + name).lstrip('_')
                if kind & 0xe == 0:
                    self.imports.add(name.split('$')[0])
                else:
                    self.exports.append(name)


class Pe(Library):
    def __init__(self, data):
        super().__init__(data)
        start, = self.unpack('I', 0x3c)
        machine, count, _, symbols, _, optional, traits = self.unpack('HHIIIHH', start + 4)
        if not traits & 0x2000:
            raise ValueError('is not a DLL')
        self.machine = ('PE', 64 if self.unpack('H', start + 24)[0] == 0x20b else 32, machine, None)
        self.sections = [self.unpack('8sIIIIIIHHI', start + 24 + optional + i * 40) for i in range(count)]
        self.newest = '%d.%d' % self.unpack('HH', start + 24 + 48)
        flags, = self.unpack('H', start + 24 + 70)
        if not flags & 0x100:
            self.faults.append('asks for an executable stack')
        if not flags & 0x40 or not flags & 0x20:
            self.faults.append('cannot be loaded at any address')
        if traits & 1:
            self.faults.append('has no relocations')
        if symbols:
            self.faults.append('has a symbol table')
        strings = symbols + self.unpack('I', start + 16)[0] * 18
        for name, size, address, raw_size, raw, *_, flags in self.sections:
            name = name.rstrip(b'\0').decode()
            if name.startswith('/'): # a long one is elsewhere
                name = self.string(strings + int(name[1:]))
            if flags & 0xa0000000 == 0xa0000000:
                self.faults.append('has a section that is both written and executed')
            if name.startswith('.debug'):
                self.debug.add(name)
            elif name != '.buildid': # which tells of the file as a whole
                self.loaded[name] = (address, size, data[raw:raw + min(size, raw_size)])
        self.faults += ['has debug information'] if self.debug else []
        exports, imports = self.unpack('IIII', start + 24 + 112)[::2]
        self.read_exports(self.offset(exports))
        self.read_imports(self.offset(imports))

    def offset(self, address):
        for _, size, start, raw_size, raw, *_ in self.sections:
            if start <= address < start + max(size, raw_size):
                return address - start + raw
        raise ValueError('is damaged')

    def read_exports(self, at):
        count, _, names = self.unpack('III', at + 24)
        for i in range(count):
            self.exports.append(self.string(self.offset(self.unpack('I', self.offset(names) + i * 4)[0])))

    def read_imports(self, at):
        while True:
            lookup, _, _, name, _ = self.unpack('IIIII', at)
            if name == 0:
                return
            self.needed.append(self.string(self.offset(name)))
            entry = self.offset(lookup)
            while (value := self.unpack('Q', entry)[0]) != 0:
                # WinSock's functions are imported by numbers as well as by names.
                self.imports.add(self.string(self.offset(value) + 2) if not value >> 63 else '#%d' % (value & 0xffff))
                entry += 8
            at += 20


def read(data):
    if data[:4] == b'\x7fELF':
        return Elf(data)
    if data[:4] == b'\xcf\xfa\xed\xfe':
        return MachO(data)
    if data[:2] == b'MZ':
        return Pe(data)
    raise ValueError('is no library')


def paths(data):
    """The places on this machine that are told of."""
    tree = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    places = [tree, os.path.dirname(os.environ.get('ZIG', '')), os.environ.get('ZIG_GLOBAL_CACHE_DIR'), os.environ.get('JAVA_HOME')]
    return ['holds the path %s of the machine it was built on' % place for place in filter(None, places)
            if place.encode() in data or place.encode('utf-16-le') in data]


def check(platform, library, development):
    machine, allowed, newest, backends = PLATFORMS[platform]
    faults = list(library.faults)
    if library.machine != machine:
        faults.append('is for %s, not %s' % (library.machine, machine))
    foreign = [name for name in library.needed if not allowed.fullmatch(name)]
    if foreign:
        faults.append('needs ' + ' '.join(foreign))
    if not development and version(library.newest) > version(newest):
        faults.append('needs version %s of the system, which is newer than %s' % (library.newest, newest))
    shown = [name for name in library.exports if not VISIBLE[machine[0]].fullmatch(name)]
    if shown:
        faults.append('exports ' + ' '.join(shown[:5]))
    if not any(name.startswith('Java_') for name in library.exports) or 'JNI_OnLoad' not in library.exports:
        faults.append('has nothing for a JVM')
    for name, function in backends.items():
        if b'\0' + name.encode() + b'\0' not in library.data or function not in library.imports:
            faults.append('has no backend ' + name)
    if 'ioctl' in library.imports:
        faults.append('calls ioctl(): libevent was built with sys/ioctl.h, and asks before each read how much there is')
    return faults + paths(library.data)


def check_debug(library, debug):
    """What is wrong with what was kept for a debugger."""
    faults = []
    if library.id != debug.id:
        faults.append('is of another library: its id is %s, not %s' % (debug.id, library.id))
    for name, (address, size, content) in library.loaded.items():
        other = debug.loaded.get(name)
        if other is None or other[:2] != (address, size) or (other[2] is not None and other[2] != content):
            faults.append('is of another library: %s differs' % name)
    if not {'.debug_info', '.debug_line'} <= debug.debug:
        faults.append('has no debug information')
    return faults + paths(debug.data)


def kept(directory):
    """The file for a debugger."""
    files = [os.path.join(top, name) for top, _, names in os.walk(directory) for name in names
             if name.endswith('.debug') or os.path.basename(top) == 'DWARF']
    return files[0] if len(files) == 1 else directory


def examine(path, faults):
    """The library in a file, or nothing when there is something wrong with it, which is printed."""
    try:
        with open(path, 'rb') as file:
            library = read(file.read())
        found = faults(library)
    except (ValueError, IndexError, KeyError, struct.error) as e:
        found = [str(e) if isinstance(e, ValueError) else 'is damaged']
    for fault in found:
        print('check-library.py: %s %s' % (path, fault), file=sys.stderr)
    return None if found else library


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--development', action='store_true')
    parser.add_argument('--debug')
    parser.add_argument('platform', choices=PLATFORMS)
    parser.add_argument('library')
    arguments = parser.parse_args()
    platform = arguments.platform

    library = examine(arguments.library, lambda found: check(platform, found, arguments.development))
    if library is None or arguments.debug and not examine(kept(arguments.debug), lambda found: check_debug(library, found)):
        return 1
    print('%s: needs %s; system version %s; %d functions for Java; backends %s' % (platform, ' '.join(sorted(library.needed)),
        library.newest, sum(name.startswith('Java_') for name in library.exports), ' '.join(PLATFORMS[platform][3])))
    return 0


if __name__ == '__main__':
    sys.exit(main())
