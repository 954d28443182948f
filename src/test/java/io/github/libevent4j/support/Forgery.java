package io.github.libevent4j.support;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A native library for a system that is not here: no more of it than {@code native/check-library.py} reads, and nothing wrong with it but
 * what a test changes.
 */
public abstract class Forgery {

    public final List<String> needed = new ArrayList<>();
    public final List<String> exports = new ArrayList<>(List.of("JNI_OnLoad", "Java_a"));
    public final List<String> imports = new ArrayList<>();
    public int machine;
    public int flags;
    public String text;
    public int length = 8192;

    final ByteBuffer file = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);

    Forgery(int machine, String text) {
        this.machine = machine;
        this.text = text;
    }

    public abstract byte[] toBytes();

    /** Appends a string, and tells where. */
    int string(String string) {
        int at = file.position();
        file.put(string.getBytes(US_ASCII)).put((byte) 0);
        return at;
    }

    void name(String name, int size) {
        file.put(name.getBytes(US_ASCII)).position(file.position() + size - name.length());
    }

    /** For macOS on arm64. */
    public static final class MachO extends Forgery {
        public int kind = 6;
        public String installName = "@rpath/libjnilibevent.dylib";
        public String rpath;
        public int version = 11 << 16;
        public int protection = 5;
        public String segment = "__TEXT";
        public boolean signed = true;
        public int symbolKind = 0xf;
        private int commands;

        public MachO() {
            super(0x0100000c, "\0kqueue\0poll\0select\0");
            needed.add("/usr/lib/libSystem.B.dylib");
            imports.addAll(List.of("kevent", "poll", "select$1050"));
        }

        @Override
        public byte[] toBytes() {
            file.position(32);
            int at = command(0x19);
            name(segment, 16);
            file.putLong(0).putLong(4096).putLong(0).putLong(4096).putInt(7).putInt(protection).putInt(1).putInt(0);
            name("__text", 16);
            name(segment, 16);
            file.putLong(0).putLong(16).putInt(0).position(file.position() + 28);
            end(at);
            named(0xd, 24, installName);
            needed.forEach(library -> named(0xc, 24, library));
            if (rpath != null) {
                named(0x8000001c, 12, rpath);
            }
            at = command(0x32);
            file.putInt(1).putInt(version).putInt(version).putInt(0);
            end(at);
            if (signed) {
                at = command(0x1d);
                file.putInt(0).putInt(0);
                end(at);
            }
            at = command(2);
            int symbols = file.position();
            file.putLong(0).putLong(0);
            end(at);
            int size = file.position() - 32;
            file.putInt(0, 0xfeedfacf).putInt(4, machine).putInt(12, kind).putInt(16, commands).putInt(20, size).putInt(24, flags);

            Map<String, Integer> names = new LinkedHashMap<>();
            int strings = file.position();
            string(text);
            exports.forEach(name -> names.put(name, string("_" + name) - strings));
            imports.forEach(name -> names.put(name, string("_" + name) - strings));
            file.putInt(symbols, file.position()).putInt(symbols + 4, names.size()).putInt(symbols + 8, strings);
            names.forEach((name, offset) -> file.putInt(offset).put((byte) (imports.contains(name) ? 1 : symbolKind)).put((byte) 0).putShort((short) 0).putLong(0));
            return Arrays.copyOf(file.array(), length);
        }

        private int command(int command) {
            int at = file.position();
            file.putInt(command).putInt(0);
            commands++;
            return at;
        }

        private void end(int at) {
            file.position(file.position() + 7 & ~7);
            file.putInt(at + 4, file.position() - at);
        }

        private void named(int command, int offset, String name) {
            int at = command(command);
            file.putInt(offset).position(at + offset);
            string(name);
            end(at);
        }
    }

    /** For Windows. */
    public static final class Pe extends Forgery {
        public int traits = 0x2022;
        public int symbols;
        public int version = 6;
        public int sectionFlags = 0x40000040;
        public String section = ".rdata";

        private static final int HEADER = 0x40;
        private static final int OPTIONAL = HEADER + 24;
        private static final int TO_ADDRESS = 0x1000 - 0x400;

        public Pe() {
            super(0x8664, "\0win32\0");
            flags = 0x160;
            needed.add("KERNEL32.dll");
            imports.add("select");
        }

        @Override
        public byte[] toBytes() {
            file.put(0, (byte) 'M').put(1, (byte) 'Z').putInt(0x3c, HEADER).putInt(HEADER, 0x4550).putShort(HEADER + 4, (short) machine)
                .putShort(HEADER + 6, (short) 1).putInt(HEADER + 12, symbols).putShort(HEADER + 20, (short) 240)
                .putShort(HEADER + 22, (short) traits).putShort(OPTIONAL, (short) 0x20b).putShort(OPTIONAL + 48, (short) version)
                .putShort(OPTIONAL + 70, (short) flags);
            file.position(OPTIONAL + 240);
            name(section, 8);
            file.putInt(7168).putInt(0x1000).putInt(7168).putInt(0x400).putLong(0).putInt(0).putInt(sectionFlags);

            file.position(0x400);
            string(text);
            List<Integer> names = exports.stream().map(this::string).toList();
            int table = file.position();
            names.forEach(at -> file.putInt(at + TO_ADDRESS));
            file.putInt(OPTIONAL + 112, file.position() + TO_ADDRESS);
            int exported = file.position();
            file.putInt(exported + 24, names.size()).putInt(exported + 32, table + TO_ADDRESS).position(exported + 40);

            List<Integer> hints = imports.stream().map(name -> string("\0\0" + name)).toList();
            int lookup = file.position();
            hints.forEach(at -> file.putLong(at + TO_ADDRESS));
            file.putLong(0);
            List<Integer> libraries = needed.stream().map(this::string).toList();
            file.putInt(OPTIONAL + 120, file.position() + TO_ADDRESS);
            libraries.forEach(at -> file.putInt(lookup + TO_ADDRESS).putLong(0).putInt(at + TO_ADDRESS).putInt(lookup + TO_ADDRESS));
            return Arrays.copyOf(file.array(), length);
        }
    }
}
