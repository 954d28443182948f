package io.github.libevent4j.loading;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.Libevent;
import io.github.libevent4j.bindings.event_callback_fn;
import io.github.libevent4j.bindings.timeval;
import io.github.libevent4j.global.libevent;
import io.github.libevent4j.support.Programs;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How the native library gets from its jar into a JVM, and what is said when it does not. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LoadingTest {

    private static final String PLATFORM = Loader.getPlatform();
    private static final Path LIBRARY = Path.of("io", "github", "libevent4j", PLATFORM, System.mapLibraryName("jnilibevent"));
    private static final String DEPENDENCY = "io.github.libevent4j:libevent4j with the classifier " + PLATFORM
        + " (or io.github.libevent4j:libevent4j-platform, which has all)";

    /** The class path in jars, as users have it. */
    private static String jars;
    private static String nativeJar;
    private static String hash;

    @TempDir
    private Path directory;

    @BeforeAll
    static void pack(@TempDir Path packed) throws Exception {
        List<String> directories = List.of(System.getProperty("java.class.path").split(File.pathSeparator));
        jars = new Programs.Java().packed(packed).classPath();
        nativeJar = jars.split(File.pathSeparator)[directories.indexOf(Programs.NATIVE.toString())];
        hash = hash(Programs.NATIVE.resolve(LIBRARY));
    }

    private static String hash(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    /** Says whether it can use libevent, and why not. */
    public static final class Loads {
        private Loads() {
        }

        public static void main(String[] arguments) throws Exception {
            if (!Libevent.isAvailable()) {
                System.out.println(Libevent.unavailabilityCause().getMessage());
                return;
            }
            try (EventBase base = EventBase.create()) {
                base.execute(() -> System.out.println(Libevent.version()));
                base.execute(base::stop);
                base.dispatch();
            }
        }
    }

    private static final String WORKS = "2.1.12-stable\n";

    /** A JVM with jars on its class path, which has this directory for its cache. */
    private Programs.Java java() {
        return new Programs.Java().classPath(jars).option("-Dlibevent4j.cachedir=" + cache());
    }

    private Path cache() {
        return directory.resolve("cache");
    }

    private Path cached() {
        return cache().resolve(hash).resolve(LIBRARY.getFileName());
    }

    private static void assertSays(String expected, Programs.Java java) throws Exception {
        assertSays(expected, java, Loads.class);
    }

    private static void assertSays(String expected, Programs.Java java, Class<?> program) throws Exception {
        Programs.Result result = java.run(program);
        assertEquals(expected, result.text(), result.errors());
        assertEquals(0, result.exit(), result.errors());
    }

    /** All that there is below a directory. */
    private static List<String> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).map(file -> directory.relativize(file).toString()).sorted().toList();
        }
    }

    // ---- the cache ----

    @Test
    void manyJvmsAtOnceMakeOneFile() throws Exception {
        List<Programs.Running> running = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                running.add(java().start(Loads.class.getName()));
            }
            for (Programs.Running each : running) {
                Programs.Result result = each.await();
                assertEquals(WORKS, result.text(), result.errors());
            }
        } finally {
            running.forEach(Programs.Running::close);
        }
        assertEquals(List.of(cache().relativize(cached()).toString()), files(cache()));
        assertEquals(hash, hash(cached()));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cache())));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cached().getParent())));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cached())));
    }

    @Test
    void theNextJvmTakesWhatIsThere() throws Exception {
        assertSays(WORKS, java());
        Object first = Files.readAttributes(cached(), "unix:ino").get("ino");
        assertSays(WORKS, java());
        assertEquals(first, Files.readAttributes(cached(), "unix:ino").get("ino"));
    }

    @Test
    void aFileThatIsNotWhatWasBuiltIsReplacedBeforeItIsLoaded() throws Exception {
        Files.createDirectories(cached().getParent(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        for (byte[] wrong : List.of(new byte[0], Arrays.copyOf(Files.readAllBytes(Programs.NATIVE.resolve(LIBRARY)), 100_000))) {
            Files.write(cached(), wrong);
            assertSays(WORKS, java());
            assertEquals(hash, hash(cached()));
        }
    }

    @Test
    void aHomeThatCannotBeWrittenToIsDoneWithout() throws Exception {
        Path home = Files.createFile(directory.resolve("home")); // not even the administrator makes a directory in it
        for (String each : List.of(home.toString(), "?")) {
            Path temporary = Files.createTempDirectory(directory, "tmp");
            assertSays(WORKS, homeless(each, temporary));
            List<String> files = files(temporary);
            assertEquals(1, files.size(), files::toString);
            assertTrue(files.get(0).startsWith("libevent4j-" + System.getProperty("user.name") + "/" + hash + "/"), files::toString);
        }
    }

    @Test
    void aHomeIsUsedWhereNothingElseIsSaid() throws Exception {
        assertSays(WORKS, homeless(directory.toString(), directory.resolve("none")));
        assertEquals(List.of(directory.relativize(directory.resolve(".libevent4j").resolve(hash).resolve(LIBRARY.getFileName())).toString()),
            files(directory).stream().filter(file -> file.endsWith(LIBRARY.getFileName().toString())).toList());
    }

    @Test
    void whereNothingCanBeWrittenItIsSaidWhatToDo() throws Exception {
        Path home = Files.createFile(directory.resolve("home"));
        Path temporary = Files.createFile(directory.resolve("tmp"));
        String said = homeless(home.toString(), temporary).run(Loads.class).text();
        assertTrue(said.startsWith("libevent4j's native library for " + PLATFORM + " can be unpacked nowhere: not to " + home
            + "/.libevent4j (java.nio.file.FileSystemException: ") && said.contains("), nor to " + temporary + "/libevent4j-")
            && said.endsWith("name a directory that is this user's alone and can be written to with -Dlibevent4j.cachedir=<directory>\n"), said);
    }

    private Programs.Java homeless(String home, Path temporary) {
        return new Programs.Java().classPath(jars).option("-Duser.home=" + home).option("-Djava.io.tmpdir=" + temporary)
            .option("-XX:-UsePerfData"); // which is in the real one
    }

    @Test
    void aCacheThatOthersCanWriteToIsRefused() throws Exception {
        for (String permissions : List.of("rwxrwx---", "rwx----w-", "rwxrwxrwx")) {
            Path open = Files.createDirectory(directory.resolve(permissions));
            Files.setPosixFilePermissions(open, PosixFilePermissions.fromString(permissions));
            assertSays("libevent4j's native library for " + PLATFORM + " can be unpacked nowhere: not to " + open
                + " (java.io.IOException: others can write to it: " + permissions + "): name a directory that is this user's alone and can be "
                + "written to with -Dlibevent4j.cachedir=<directory>\n", java().option("-Dlibevent4j.cachedir=" + open));
            assertEquals(List.of(), files(open));
        }
    }

    @Test
    void aCacheOfSomebodyElseIsRefused() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "only the administrator can give a directory away");
        Path foreign = Files.createDirectory(directory.resolve("foreign"));
        Files.setAttribute(foreign, "unix:uid", 54321);
        assertSays("libevent4j's native library for " + PLATFORM + " can be unpacked nowhere: not to " + foreign
            + " (java.io.IOException: it belongs to somebody else, 54321): name a directory that is this user's alone and can be "
            + "written to with -Dlibevent4j.cachedir=<directory>\n", java().option("-Dlibevent4j.cachedir=" + foreign));
        assertEquals(List.of(), files(foreign));
    }

    @Test
    void aCacheThatTheAdministratorFilledNeedsNoWriting() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "only the administrator can be another user");
        assertSays(WORKS, java());
        StringBuilder readable = new StringBuilder();
        for (String jar : jars.split(File.pathSeparator)) { // the local repository may be hidden in a home
            Path copy = directory.resolve(readable.length() + ".jar");
            readable.append(Files.copy(Path.of(jar), copy)).append(File.pathSeparator);
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path each : all.toList()) {
                Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("r-xr-xr-x"));
            }
        }
        assertSays(WORKS, java().classPath(readable.toString()).user(54321)
            .option("-XX:-LogVMOutput").option("-XX:-UsePerfData").option("-Djava.io.tmpdir=/nonexistent"));
    }

    // ---- what the jar has ----

    @Test
    void whatIsThereForOtherPlatformsIsTold() throws Exception {
        for (String other : List.of("linux-arm64/libjnilibevent.so", "macosx-arm64/libjnilibevent.dylib", "windows-x86_64/jnilibevent.dll")) {
            Path file = directory.resolve(Path.of("others", "io", "github", "libevent4j")).resolve(other);
            Files.createDirectories(file.getParent());
            Files.createFile(file);
        }
        assertSays("libevent4j has no native library for " + PLATFORM + " here, only for linux-arm64, macosx-arm64, windows-x86_64: add the "
            + "dependency " + DEPENDENCY + "\n", java().replace(nativeJar, directory.resolve("others").toString()));
    }

    @Test
    void aPlatformWithoutAJarIsTold() throws Exception {
        assertSays("libevent4j has no native library for plan9-x86_64 here, only for " + PLATFORM + ": its jars are for "
            + String.join(", ", LibraryFile.PLATFORMS) + "; the README tells how to build one for another platform\n",
            java().option("-Dorg.bytedeco.javacpp.platform=plan9-x86_64"));
    }

    /** A directory with the native library, and its hash, changed. */
    private Path changed(String name, Change change) throws Exception {
        Path copy = directory.resolve(name);
        Path library = copy.resolve(LIBRARY);
        Files.createDirectories(library.getParent());
        Files.copy(Programs.NATIVE.resolve(LIBRARY), library);
        Files.copy(Programs.NATIVE.resolve(LIBRARY + ".sha256"), copy.resolve(LIBRARY + ".sha256"));
        change.apply(library);
        return copy;
    }

    private interface Change {
        void apply(Path library) throws Exception;
    }

    /** Runs with a native jar, and then with a native directory, and asserts what both say after the library's address. */
    private void assertDamaged(String said, Path changed) throws Exception {
        String prefix = "libevent4j's native library for " + PLATFORM + " is damaged: ";
        String suffix = ": get " + DEPENDENCY + " again\n";
        assertSays(prefix + changed.resolve(LIBRARY).toUri().toURL() + said + suffix, java().replace(nativeJar, changed.toString()));
        Programs.Java packed = java().replace(nativeJar, changed.toString()).packed(changed.resolve("io"));
        String text = packed.run(Loads.class).text();
        assertTrue(text.startsWith(prefix + "jar:file:") && text.endsWith("!/" + LIBRARY + said + suffix), text);
    }

    @Test
    void anEmptyLibraryIsTold() throws Exception {
        assertDamaged(" (0 bytes) is not what was built", changed("empty", library -> Files.write(library, new byte[0])));
    }

    @Test
    void aTruncatedLibraryIsTold() throws Exception {
        assertDamaged(" (5000 bytes) is not what was built", changed("truncated", library -> {
            try (FileChannel file = FileChannel.open(library, StandardOpenOption.WRITE)) {
                file.truncate(5000);
            }
        }));
    }

    @Test
    void aLibraryWithoutItsHashIsTold() throws Exception {
        assertDamaged(" has no .sha256 beside it", changed("alone", library -> Files.delete(Path.of(library + ".sha256"))));
    }

    @Test
    void aJarThatCannotBeReadIsTold() throws Exception {
        Path broken = directory.resolve("broken.jar");
        Files.copy(Path.of(nativeJar), broken);
        try (RandomAccessFile file = new RandomAccessFile(broken.toFile(), "rw")) {
            file.seek(file.length() / 2);
            file.write(new byte[1000]);
        }
        String said = java().replace(nativeJar, broken.toString()).run(Loads.class).text();
        assertTrue(said.startsWith("libevent4j's native library for " + PLATFORM + " is damaged: jar:" + broken.toUri().toURL() + "!/" + LIBRARY)
            && said.endsWith(": get " + DEPENDENCY + " again\n"), said);
        assertTrue(!Files.exists(cached()), said);
    }

    @Test
    void aLibraryForAnotherArchitectureIsTold() throws Exception {
        Path changed = changed("foreign", library -> {
            try (FileChannel file = FileChannel.open(library, StandardOpenOption.WRITE)) {
                file.write(ByteBuffer.wrap(new byte[] {0x16, 0}), 18); // e_machine of s390
            }
            Files.writeString(Path.of(library + ".sha256"), hash(library), US_ASCII);
        });
        String said = java().replace(nativeJar, changed.toString()).run(Loads.class).text();
        assertTrue(said.startsWith("the system does not load libevent4j's native library for " + PLATFORM + " from " + changed.resolve(LIBRARY)
            + " (") && said.endsWith("): check that this JVM is one for " + PLATFORM + ", that " + changed.resolve(LIBRARY).toUri().toURL()
            + " is what " + DEPENDENCY + " has, and that programs may be run from that directory, or name another with "
            + "-Dlibevent4j.cachedir=<directory>\n"), said);
    }

    // ---- the system ----

    /** Has a file mapped, and then loads. */
    public static final class OnMusl {
        private OnMusl() {
        }

        public static void main(String[] arguments) throws Exception {
            try (FileChannel file = FileChannel.open(Path.of(System.getProperty("musl")))) {
                Object mapped = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
                Loads.main(arguments);
                assertTrue(mapped.toString().contains("cap=1"));
            }
        }
    }

    @Test
    void aJvmOnMuslIsTold() throws Exception {
        Path musl = Files.write(directory.resolve("ld-musl-x86_64.so.1"), new byte[1]); // what such a JVM has mapped
        assertSays("libevent4j's native library for " + PLATFORM + " needs glibc, and this JVM runs on musl (" + musl
            + "): take an image or a system with glibc, such as Debian, and a JVM that is built for it\n",
            java().option("-Dmusl=" + musl), OnMusl.class);
    }

    @Test
    void muslIsKnownByItsLoader() throws Exception {
        Path maps = directory.resolve("maps");
        assertEquals(Optional.empty(), LibraryFile.musl(maps));
        Files.writeString(maps, "7f0c64e00000-7f0c64e2d000 r-xp 00000000 08:01 1234      /opt/ld-musl-notes/libc.so.6\n");
        assertEquals(Optional.empty(), LibraryFile.musl(maps));
        Files.writeString(maps, "7f0c64e00000-7f0c64e2d000 r-xp 00000000 08:01 1234      /lib/ld-musl-aarch64.so.1\n");
        assertEquals(Optional.of("/lib/ld-musl-aarch64.so.1"), LibraryFile.musl(maps));
        Files.writeString(maps, "7f0c64e00000-7f0c64e2d000 r-xp 00000000 08:01 1234      /usr/lib/libc.so\n");
        assertEquals(Optional.of("/usr/lib/libc.so"), LibraryFile.musl(maps));
        assertEquals(Optional.empty(), LibraryFile.musl(Path.of("/proc/self/maps")));
    }

    // ---- class loaders ----

    /** Loads the library in three class loaders, and uses it in each. */
    public static final class Thrice {
        private Thrice() {
        }

        public static void main(String[] arguments) throws Exception {
            URL[] classPath = classPath(System.getProperty("java.class.path").split(File.pathSeparator));
            List<URLClassLoader> loaders = new ArrayList<>(); // all there at the same time
            for (int i = 0; i < 3; i++) {
                loaders.add(new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader()));
                Class<?> loads = Class.forName(Loads.class.getName(), true, loaders.get(i));
                loads.getMethod("main", String[].class).invoke(null, (Object) arguments);
            }
        }

        static URL[] classPath(String[] entries) throws IOException {
            URL[] urls = new URL[entries.length];
            for (int i = 0; i < entries.length; i++) {
                urls[i] = Path.of(entries[i]).toUri().toURL();
            }
            return urls;
        }
    }

    @Test
    void eachClassLoaderHasALibraryOfItsOwn() throws Exception {
        for (String classPath : List.of(jars, System.getProperty("java.class.path"))) {
            assertSays(WORKS.repeat(3), java().classPath(classPath), Thrice.class);
        }
        assertEquals(List.of("1-libjnilibevent.so", "2-libjnilibevent.so", "libjnilibevent.so"),
            files(cached().getParent()));
        assertSays(WORKS.repeat(3), java(), Thrice.class); // with what is there
        assertEquals(3, files(cache()).size());
    }

    /** Has JavaCPP in one class loader, and libevent4j in another below it. */
    public static final class Apart {
        private Apart() {
        }

        public static void main(String[] arguments) throws Exception {
            String javacpp = Path.of(Loader.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
            String[] all = System.getProperty("java.class.path").split(File.pathSeparator);
            try (URLClassLoader above = new URLClassLoader(Thrice.classPath(new String[] {javacpp}), ClassLoader.getPlatformClassLoader());
                 URLClassLoader below = new URLClassLoader(Thrice.classPath(
                     Arrays.stream(all).filter(entry -> !entry.equals(javacpp)).toArray(String[]::new)), above)) {
                Class.forName(Loads.class.getName(), true, below).getMethod("main", String[].class).invoke(null, (Object) arguments);
            }
        }
    }

    @Test
    void javacppInAnotherClassLoaderIsTold() throws Exception {
        assertSays("JavaCPP comes from another class loader than libevent4j, and the native methods of both are in one library: "
            + "put org.bytedeco:javacpp beside io.github.libevent4j:libevent4j\n", java(), Apart.class);
    }

    // ---- the raw layer ----

    /** Uses the raw layer first, by several threads at once. */
    public static final class Raw {
        private Raw() {
        }

        public static void main(String[] arguments) throws Exception {
            List<Runnable> uses = List.of(
                () -> libevent.event_get_version_number(),
                () -> new timeval().tv_sec(1).close(),
                () -> new event_callback_fn() {
                    @Override
                    public void call(long fd, short events, Pointer argument) {
                    }
                }.close(),
                () -> Libevent.versionNumber());
            CyclicBarrier all = new CyclicBarrier(uses.size());
            List<Thread> threads = new ArrayList<>();
            for (Runnable use : uses) {
                Thread thread = new Thread(() -> {
                    try {
                        all.await();
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                    use.run();
                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            System.out.println(libevent.event_get_version().getString());
        }
    }

    @Test
    void theRawLayerLoadsInTheSameWay() throws Exception {
        for (int i = 0; i < 5; i++) {
            Path home = Files.createTempDirectory(directory, "home");
            assertSays(WORKS, java().option("-Duser.home=" + home), Raw.class);
            assertEquals(List.of(), files(home)); // nothing in a cache of JavaCPP's
        }
        assertEquals(hash, hash(cached()));
    }

    @Test
    void theRawLayerSaysTheSame() throws Exception {
        Programs.Result result = java().replace(nativeJar, "").run(Raw.class);
        assertTrue(result.errors().contains("java.lang.UnsatisfiedLinkError: libevent4j has no native library for " + PLATFORM),
            result.errors());
    }

    @Test
    void thePlatformsAreThoseOfThePlatformArtifact() throws Exception {
        List<String> classifiers = Pattern.compile("<classifier>\\$\\{javacpp\\.platform\\.(.*?)}").matcher(
            Files.readString(Path.of("platform", "pom.xml"))).results().map(found -> found.group(1)).toList();
        assertEquals(LibraryFile.PLATFORMS, classifiers);
    }
}
