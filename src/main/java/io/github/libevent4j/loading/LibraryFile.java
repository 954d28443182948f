package io.github.libevent4j.loading;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/**
 * Brings the native library from its jar to where the system can load it: a file in a directory that is this user's alone, made once for
 * each content, by whichever JVM comes first.
 *
 * <p>JavaCPP has a way of its own, which is not taken: it knows a file in its cache by size and time, and asks not who else can write to
 * it. Here a file is loaded only when its SHA-256 is the one that the build has noted beside the library.
 */
public final class LibraryFile {

    /** Names the directory to unpack to. */
    private static final String CACHE = "libevent4j.cachedir";

    private static final String DEPENDENCY = "io.github.libevent4j:libevent4j";
    private static final Pattern MUSL = Pattern.compile("/\\S*/(ld-musl-[^/\\s]*|libc\\.so)$", Pattern.MULTILINE);

    /** The platforms that there is a jar for. */
    static final List<String> PLATFORMS = List.of("linux-x86_64", "linux-arm64", "linux-armhf", "linux-ppc64le", "linux-riscv64",
        "macosx-x86_64", "macosx-arm64", "windows-x86_64");

    private static boolean loaded;
    private static UnsatisfiedLinkError failure;

    private LibraryFile() {
    }

    /**
     * Loads the library, unless it is loaded.
     *
     * @throws UnsatisfiedLinkError that says what was found and what to do, the same each time
     */
    public static void load() {
        // The library needs this class initialised, and a thread that is at it needs JavaCPP's locks: not while this one has them.
        Pointer.maxBytes();
        synchronized (LibraryFile.class) {
            if (failure != null) {
                throw failure;
            }
            try {
                if (!loaded) {
                    load(Loader.getPlatform());
                    loaded = true;
                }
            } catch (UnsatisfiedLinkError e) {
                failure = e;
                throw e;
            }
        }
    }

    private static void load(String platform) {
        ClassLoader loader = LibraryFile.class.getClassLoader();
        if (Loader.class.getClassLoader() != loader) {
            throw error("JavaCPP comes from another class loader than libevent4j, and the native methods of both are in one library: "
                + "put org.bytedeco:javacpp beside " + DEPENDENCY, null);
        }
        Optional<String> musl = musl(Path.of("/proc/self/maps"));
        if (musl.isPresent() && !platform.endsWith("musl")) {
            throw error("libevent4j's native library for " + platform + " needs glibc, and this JVM runs on musl (" + musl.get()
                + "): take an image or a system with glibc, such as Debian, and a JVM that is built for it", null);
        }
        URL library = resource(loader, platform);
        if (library == null) {
            throw missing(loader, platform);
        }
        String hash = expectedHash(loader, platform, library);
        // In place where it is a file, as in a build; a file is one class loader's, and each of the others gets a copy.
        boolean isFile = library.getProtocol().equals("file");
        for (int copy = isFile ? -1 : 0; ; copy++) {
            Path file = copy < 0 ? inPlace(library, hash, platform)
                : unpack(library, hash, platform, (copy == 0 ? "" : copy + "-") + name(platform));
            try {
                System.load(file.toString());
                return;
            } catch (UnsatisfiedLinkError e) {
                if (!e.getMessage().contains("already loaded in another classloader")) {
                    throw error("the system does not load libevent4j's native library for " + platform + " from " + file + " ("
                        + e.getMessage() + "): check that this JVM is one for " + platform + ", that " + library + " is what "
                        + dependency(platform) + " has, and that programs may be run from that directory, or name another with -D"
                        + CACHE + "=<directory>", e);
                }
            }
        }
    }

    // ---- in the jar ----

    private static URL resource(ClassLoader loader, String platform) {
        return loader.getResource("io/github/libevent4j/" + platform + "/" + name(platform));
    }

    private static String name(String platform) {
        return platform.startsWith("windows") ? "jnilibevent.dll" : platform.startsWith("macosx") ? "libjnilibevent.dylib" : "libjnilibevent.so";
    }

    /** The hash that the build has noted beside the library. */
    private static String expectedHash(ClassLoader loader, String platform, URL library) {
        URL noted = loader.getResource("io/github/libevent4j/" + platform + "/" + name(platform) + ".sha256");
        if (noted == null) {
            throw damaged(platform, library + " has no .sha256 beside it", null);
        }
        String hash = new String(read(noted, platform), US_ASCII).strip();
        if (!hash.matches("[0-9a-f]{64}")) {
            throw damaged(platform, noted + " holds no SHA-256", null);
        }
        return hash;
    }

    private static Path inPlace(URL library, String hash, String platform) {
        content(library, hash, platform);
        return Path.of(URI.create(library.toString()));
    }

    /** What is to be unpacked, which is what was built. */
    private static byte[] content(URL library, String hash, String platform) {
        byte[] content = read(library, platform);
        if (!hash(content).equals(hash)) {
            throw damaged(platform, library + " (" + content.length + " bytes) is not what was built", null);
        }
        return content;
    }

    private static byte[] read(URL resource, String platform) {
        try {
            URLConnection connection = resource.openConnection();
            connection.setUseCaches(false); // no jar stays open for this
            try (InputStream stream = connection.getInputStream()) {
                return stream.readAllBytes();
            }
        } catch (IOException e) {
            throw damaged(platform, resource + " cannot be read (" + e + ")", e);
        }
    }

    // ---- in the cache ----

    private static Path unpack(URL library, String hash, String platform, String name) {
        List<String> reasons = new ArrayList<>();
        for (Path cache : caches()) {
            try {
                return unpack(library, hash, platform, ownDirectory(cache).resolve(hash).resolve(name));
            } catch (IOException e) {
                reasons.add(cache + " (" + e + ")");
            }
        }
        throw error("libevent4j's native library for " + platform + " can be unpacked nowhere: not to " + String.join(", nor to ", reasons)
            + ": name a directory that is this user's alone and can be written to with -D" + CACHE + "=<directory>", null);
    }

    /** Where to unpack to: where the user says, or else the first place that will do. */
    private static List<Path> caches() {
        String named = System.getProperty(CACHE);
        if (named != null) {
            return List.of(Path.of(named).toAbsolutePath());
        }
        List<Path> caches = new ArrayList<>();
        Path home = Path.of(System.getProperty("user.home"));
        if (home.isAbsolute()) { // a user without one has "?"
            caches.add(home.resolve(".libevent4j"));
        }
        caches.add(Path.of(System.getProperty("java.io.tmpdir"),
            "libevent4j-" + System.getProperty("user.name").replaceAll("[^\\w.-]", "_")).toAbsolutePath());
        return caches;
    }

    /** A file with the library in it. Those who come at the same time each write one, and the last to be done leaves his. */
    private static Path unpack(URL library, String hash, String platform, Path file) throws IOException {
        if (!isIntact(file, hash)) {
            byte[] content = content(library, hash, platform);
            Path part = Files.createTempFile(createDirectories(file.getParent()), "part", null);
            try {
                Files.write(part, content);
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                if (!isIntact(file, hash)) { // Windows replaces no file that another JVM has loaded
                    throw e;
                }
            } finally {
                Files.deleteIfExists(part);
            }
            if (!isIntact(file, hash)) {
                throw new IOException("what was written to " + file + " is not what it holds");
            }
        }
        return file;
    }

    private static boolean isIntact(Path file, String hash) throws IOException {
        try {
            return hash(Files.readAllBytes(file)).equals(hash);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Makes a directory that is this user's alone, or refuses one that is not. The system's administrator may be its owner too. */
    private static Path ownDirectory(Path path) throws IOException {
        Path directory = createDirectories(path).toRealPath();
        if (isUnix(directory)) {
            int owner = owner(directory);
            if (owner != owner(directory.getRoot()) && owner != user(directory)) {
                throw new IOException("it belongs to somebody else, " + Files.getOwner(directory));
            }
            if (((int) Files.getAttribute(directory, "unix:mode") & 022) != 0) {
                throw new IOException("others can write to it: "
                    + PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
            }
        }
        return directory;
    }

    private static Path createDirectories(Path directory) throws IOException {
        if (Files.isDirectory(directory)) { // or a link to one
            return directory;
        }
        return isUnix(directory)
            ? Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")))
            : Files.createDirectories(directory);
    }

    /** Elsewhere what is in a user's profile is his alone anyway. */
    private static boolean isUnix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("unix");
    }

    private static int owner(Path path) throws IOException {
        return (int) Files.getAttribute(path, "unix:uid");
    }

    /** Who this process belongs to, which is seen by what it makes where the system does not tell. */
    private static int user(Path directory) throws IOException {
        Path process = Path.of("/proc/self");
        if (Files.exists(process)) {
            return owner(process);
        }
        Path made = Files.createTempFile(directory, "user", null);
        try {
            return owner(made);
        } finally {
            Files.delete(made);
        }
    }

    private static String hash(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) { // every JVM has it
            throw new IllegalStateException(e);
        }
    }

    // ---- what is said ----

    /** The musl that a process runs on, by the files that it has mapped. */
    static Optional<String> musl(Path maps) {
        try {
            Matcher found = MUSL.matcher(Files.readString(maps));
            return found.find() ? Optional.of(found.group()) : Optional.empty();
        } catch (IOException e) { // not on Linux
            return Optional.empty();
        }
    }

    private static UnsatisfiedLinkError missing(ClassLoader loader, String platform) {
        List<String> found = PLATFORMS.stream().filter(each -> resource(loader, each) != null).toList();
        return error("libevent4j has no native library for " + platform + " here, " + (found.isEmpty() ? "nor for any other platform" : "only for "
            + String.join(", ", found)) + ": " + (PLATFORMS.contains(platform) ? "add the dependency " + dependency(platform)
            : "its jars are for " + String.join(", ", PLATFORMS) + "; the README tells how to build one for another platform"), null);
    }

    private static UnsatisfiedLinkError damaged(String platform, String found, IOException cause) {
        return error("libevent4j's native library for " + platform + " is damaged: " + found + ": get " + dependency(platform) + " again",
            cause);
    }

    private static String dependency(String platform) {
        String version = Optional.ofNullable(LibraryFile.class.getModule().getDescriptor()).flatMap(module -> module.rawVersion())
            .or(() -> Optional.ofNullable(LibraryFile.class.getPackage().getImplementationVersion()))
            .map(each -> ":" + each).orElse("");
        return DEPENDENCY + version + " with the classifier " + platform + " (or io.github.libevent4j:libevent4j-platform" + version
            + ", which has all)";
    }

    private static UnsatisfiedLinkError error(String message, Throwable cause) {
        return (UnsatisfiedLinkError) new UnsatisfiedLinkError(message).initCause(cause);
    }
}
