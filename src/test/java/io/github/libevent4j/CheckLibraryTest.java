package io.github.libevent4j;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Forgery;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code native/check-library.py} refuses a library for each thing that it looks at. */
class CheckLibraryTest {

    /** What it has nothing against: something for a JVM, and a call for each backend. */
    private static final String GOOD = """
        #include <poll.h>
        #include <sys/epoll.h>
        #include <sys/select.h>
        #define PUBLIC __attribute__((visibility("default")))
        const char *const backends[] = {"epoll", "poll", "select"};
        static int variable;
        PUBLIC int JNI_OnLoad(void) { return variable; }
        PUBLIC int Java_a(struct epoll_event *e, struct pollfd *p, fd_set *s) {
            return epoll_wait(0, e, 0, 0) + poll(p, 0, 0) + select(0, s, s, s, 0);
        }
        """;

    @TempDir
    private Path directory;

    @Test
    void aGoodOnePasses() throws Exception {
        assertEquals("", check(0, "linux-x86_64", GOOD));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "linux-arm64  | -shared                                     |                                                    | is for",
        "windows-x86_64 | -shared                                   |                                                    | is for",
        "linux-x86_64 | -shared -Wl,--no-as-needed -lgcc_s          |                                                    | needs libgcc_s.so.1",
        "linux-x86_64 | -shared                                     | #include <sys/random.h>\\nPUBLIC long Java_b(void *p) { return getrandom(p, 1, 0); } | needs version 2.25",
        "linux-x86_64 | -shared                                     | PUBLIC int shown(void) { return 0; }               | exports shown",
        "linux-x86_64 | -shared -Wl,-rpath,/somewhere               |                                                    | has an rpath",
        "linux-x86_64 | -shared -Wl,-z,execstack                    |                                                    | asks for an executable stack",
        "linux-x86_64 | -shared -mcmodel=large -fno-pic -Wl,-z,notext | PUBLIC int *Java_b(void) { return &variable; }  | has text relocations",
        "linux-x86_64 | -shared -nostdlib -Wl,-N                    |                                                    | both written and executed",
        "linux-x86_64 | -shared -g                                  |                                                    | has debug information",
        "linux-x86_64 | -shared -Dpoll=another                      |                                                    | has no backend poll",
        "linux-x86_64 | -shared                                     | int ioctl();\\nPUBLIC int Java_b(int *n) { return ioctl(0, 0x541b, n); } | calls ioctl()",
        "linux-x86_64 | -shared -DJava_a=JNI_OnUnload               |                                                    | has nothing for a JVM",
        "linux-x86_64 | -shared                                     | const char *tree = TREE;                           | holds the path",
        "linux-x86_64 | -c                                          |                                                    | is not a shared library",
        "linux-x86_64 | -E                                          |                                                    | is no library"})
    void aBadOneIsRefused(String platform, String options, String more, String why) throws Exception {
        String source = GOOD + (more == null ? "" : more.replace("\\n", "\n").replace("TREE", "\"" + Path.of("").toAbsolutePath() + "\""));
        String said = check(1, platform, source, options.split(" "));
        assertTrue(said.contains(why), said);
    }

    // ---- the other formats ----

    private static Arguments macos(String why, Consumer<Forgery.MachO> change) {
        Forgery.MachO library = new Forgery.MachO();
        change.accept(library);
        return Arguments.of("macosx-arm64", why, library);
    }

    private static Arguments windows(String why, Consumer<Forgery.Pe> change) {
        Forgery.Pe library = new Forgery.Pe();
        change.accept(library);
        return Arguments.of("windows-x86_64", why, library);
    }

    static Stream<Arguments> forgeries() {
        String tree = Path.of("").toAbsolutePath().toString();
        return Stream.of(
            macos("", library -> { }),
            macos("is for", library -> library.machine = 0x01000007),
            macos("is not a dynamic library", library -> library.kind = 2),
            macos("needs /usr/lib/libc++.1.dylib", library -> library.needed.add("/usr/lib/libc++.1.dylib")),
            macos("has an install name with a path", library -> library.installName = "/somewhere/libjnilibevent.dylib"),
            macos("has an rpath", library -> library.rpath = "/somewhere"),
            macos("needs version 12.0", library -> library.version = 12 << 16),
            macos("asks for an executable stack", library -> library.flags = 0x20000),
            macos("both written and executed", library -> library.protection = 7),
            macos("has debug information", library -> library.segment = "__DWARF"),
            macos("has debug information", library -> library.symbolKind = 0x64),
            macos("has no signature", library -> library.signed = false),
            macos("exports shown", library -> library.exports.add("shown")),
            macos("has nothing for a JVM", library -> library.exports.remove("Java_a")),
            macos("has no backend kqueue", library -> library.imports.remove("kevent")),
            macos("has no backend poll", library -> library.text = "\0kqueue\0select\0"),
            macos("holds the path", library -> library.text += tree),
            macos("is damaged", library -> library.length = 200),
            windows("", library -> { }),
            windows("is for", library -> library.machine = 0xaa64),
            windows("is not a DLL", library -> library.traits = 0x22),
            windows("needs libstdc++-6.dll", library -> library.needed.add("libstdc++-6.dll")),
            windows("needs version 10.0", library -> library.version = 10),
            windows("asks for an executable stack", library -> library.flags = 0x60),
            windows("cannot be loaded at any address", library -> library.flags = 0x120),
            windows("cannot be loaded at any address", library -> library.flags = 0x140),
            windows("has no relocations", library -> library.traits = 0x2023),
            windows("has a symbol table", library -> library.symbols = 0x400),
            windows("both written and executed", library -> library.sectionFlags = 0xe0000040),
            windows("has debug information", library -> library.section = ".debug"),
            windows("exports shown", library -> library.exports.add("shown")),
            windows("has nothing for a JVM", library -> library.exports.remove("JNI_OnLoad")),
            windows("has no backend win32", library -> library.imports.remove("select")),
            windows("is damaged", library -> library.length = 200),
            windows("holds the path", library -> library.text += new String(tree.getBytes(UTF_16LE), US_ASCII)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("forgeries")
    void aBadOneForAnotherSystemIsRefused(String platform, String why, Forgery library) throws Exception {
        Path file = Files.write(directory.resolve("library"), library.toBytes());
        String said = run(why.isEmpty() ? 0 : 1, List.of("python3", "native/check-library.py", platform, file.toString()));
        assertTrue(said.contains(why), said);
    }

    // ---- what is kept for a debugger ----

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "-g -fdebug-prefix-map=TREE=.                         |                                       | ``",
        "-g -fdebug-prefix-map=TREE=. -Wl,--build-id=0x2345   |                                       | is of another library: its id is 2345, not 1234",
        "-g -fdebug-prefix-map=TREE=.                         | PUBLIC int Java_b(void) { return 0; } | is of another library: .text differs",
        "-g0                                                  |                                       | has no debug information",
        "-g                                                   |                                       | holds the path"})
    void whatIsKeptForADebuggerBelongsToTheLibrary(String options, String more, String why) throws Exception {
        Path kept = Files.createDirectory(directory.resolve("kept"));
        compile(kept.resolve("library.debug"), GOOD + (more == null ? "" : more),
            ("-shared -Wl,--build-id=0x1234 " + options.replace("TREE", Path.of("").toAbsolutePath().toString())).split(" "));
        Path library = compile(directory.resolve("library.so"), GOOD, "-shared", "-s", "-Wl,--build-id=0x1234");
        String said = run(why.isEmpty() ? 0 : 1,
            List.of("python3", "native/check-library.py", "--debug", kept.toString(), "linux-x86_64", library.toString()));
        assertTrue(said.contains(why), said);
    }

    // ---- help ----

    /** What the program says against a library that gcc makes with these options. */
    private String check(int status, String platform, String source, String... options) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(options.length == 0 ? List.of("-shared") : List.of(options));
        if (!all.contains("-g")) {
            all.add("-s");
        }
        Path library = compile(directory.resolve("library.so"), source, all.toArray(String[]::new));
        return run(status, List.of("python3", "native/check-library.py", platform, library.toString()));
    }

    private Path compile(Path library, String source, String... options) throws IOException, InterruptedException {
        Path file = Files.writeString(directory.resolve("library.c"), source);
        List<String> gcc = new ArrayList<>(List.of("gcc", "-w", "-fPIC", "-fvisibility=hidden", "-o", library.toString(), file.toString()));
        gcc.addAll(List.of(options));
        run(0, gcc);
        return library;
    }

    /** What a program says on standard error, which ends with this status. */
    private String run(int status, List<String> command) throws IOException, InterruptedException {
        Path errors = directory.resolve("errors");
        Process process = new ProcessBuilder(command).redirectError(errors.toFile()).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        int ended = process.waitFor();
        String said = Files.readString(errors);
        assertEquals(status, ended, said);
        return said;
    }
}
