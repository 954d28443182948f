package io.github.libevent4j.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Answers with files below a directory, sent by the kernel, whole or a range of them, and with 304 to who has them already.
 *
 * <p>There is no way out of the directory: each part of a path is opened below the one before, and none may be a symbolic link. So
 * it needs a file system with {@link SecureDirectoryStream}, which Linux and macOS have. Opening a file blocks: where that matters,
 * hand requests to an executor with {@link #on}.
 */
public final class FileHandler implements HttpHandler {

    private static final Map<String, String> TYPES = Map.ofEntries(Map.entry("css", "text/css; charset=utf-8"),
        Map.entry("csv", "text/csv; charset=utf-8"), Map.entry("htm", "text/html; charset=utf-8"),
        Map.entry("html", "text/html; charset=utf-8"), Map.entry("js", "text/javascript; charset=utf-8"),
        Map.entry("json", "application/json"), Map.entry("md", "text/markdown; charset=utf-8"),
        Map.entry("mjs", "text/javascript; charset=utf-8"), Map.entry("svg", "image/svg+xml"),
        Map.entry("txt", "text/plain; charset=utf-8"), Map.entry("wasm", "application/wasm"), Map.entry("webp", "image/webp"),
        Map.entry("woff2", "font/woff2"));

    private static final int LONGEST_NAME = 255; // bytes, in every file system that matters

    private final Path root;
    private final String prefix;
    private final String index; // null: directories are not shown

    /**
     * Shows files, and no directories.
     *
     * @param root the directory; it may itself be reached through links
     * @param prefix what a request's path begins with, such as {@code /files/}
     * @throws IOException when there is no such directory
     */
    public FileHandler(Path root, String prefix) throws IOException {
        this(root, prefix, null);
    }

    private FileHandler(Path root, String prefix, String index) throws IOException {
        Objects.requireNonNull(root, "root");
        if (!Objects.requireNonNull(prefix, "prefix").startsWith("/") || !prefix.endsWith("/")) {
            throw new IllegalArgumentException("a prefix begins and ends with /, which " + prefix + " does not");
        }
        this.root = root.toRealPath();
        this.prefix = prefix;
        this.index = index;
        if (!Files.isDirectory(this.root)) {
            throw new IllegalArgumentException(root + " is not a directory");
        }
    }

    /**
     * The same, but with a directory's file of this name, such as {@code index.html}, in the place of the directory. A request for a
     * directory without a slash at its end is sent on to the one with it, so that what the file refers to is found.
     */
    public FileHandler withIndex(String name) throws IOException {
        if (Objects.requireNonNull(name, "name").isEmpty() || name.indexOf('/') >= 0) {
            throw new IllegalArgumentException("an index is the name of a file, which \"" + name + "\" is not");
        }
        return new FileHandler(root, prefix, name);
    }

    /** What a path leads to. */
    private sealed interface Found permits Opened, Directory, Nothing {
    }

    private record Nothing() implements Found {
    }

    /** A directory that was asked for as if it were a file. */
    private record Directory() implements Found {
    }

    /** A file that is open, and what is known of it. */
    private record Opened(FileChannel file, String name, long size, Instant modified) implements Found, AutoCloseable {

        String tag() {
            return '"' + Long.toHexString(modified.getEpochSecond() * 1_000_000_000 + modified.getNano()) + '-'
                + Long.toHexString(size) + '"';
        }

        /** The time of change as a header can tell it. */
        Instant second() {
            return modified.truncatedTo(ChronoUnit.SECONDS);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    /** A part of a file. */
    private record Range(long first, long length) {
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        Objects.requireNonNull(exchange, "exchange");
        if (exchange.method() != HttpMethod.GET && exchange.method() != HttpMethod.HEAD) {
            exchange.header("Allow", "GET, HEAD").reply(405, "files are for GET and HEAD\n");
            return;
        }
        String path = exchange.uri().path();
        Found found = find(HttpUri.decode(path, false));
        if (found instanceof Opened opened) {
            try (opened) {
                answer(exchange, opened);
            }
        } else if (found instanceof Directory && index != null) {
            exchange.header("Location", path + "/" + exchange.uri().query().map(query -> "?" + query).orElse(""));
            exchange.reply(301, "the directory is at " + path + "/\n");
        } else {
            exchange.reply(404, "no such file\n");
        }
    }

    private void answer(HttpExchange exchange, Opened file) throws IOException {
        Headers headers = exchange.headers();
        exchange.header("ETag", file.tag()).header("Last-Modified", HttpDate.format(file.modified))
            .header("Accept-Ranges", "bytes");
        if (isPreconditionFailed(headers, file)) {
            exchange.reply(412);
        } else if (isKnown(headers, file)) {
            exchange.reply(304);
        } else {
            send(exchange, file, headers);
        }
    }

    private static void send(HttpExchange exchange, Opened file, Headers headers) throws IOException {
        List<String> asked = exchange.method() == HttpMethod.GET ? headers.all("Range") : List.of();
        Range range = asked.size() != 1 || !mayBeRange(headers, file) ? null : parse(asked.get(0), file.size);
        if (range == null) {
            exchange.header("Content-Type", type(file.name)).reply(200, file.file, 0, file.size);
        } else if (range.length == 0) {
            exchange.header("Content-Range", "bytes */" + file.size).reply(416);
        } else {
            exchange.header("Content-Type", type(file.name)).header("Content-Range",
                "bytes " + range.first + "-" + (range.first + range.length - 1) + "/" + file.size);
            exchange.reply(206, file.file, range.first, range.length);
        }
    }

    // ---- conditions (RFC 9110, section 13)

    private static boolean isPreconditionFailed(Headers headers, Opened file) {
        if (headers.first("If-Match").isPresent()) {
            return !names(headers.all("If-Match"), file.tag(), false);
        }
        return headers.first("If-Unmodified-Since").flatMap(HttpDate::parse).filter(since -> file.second().isAfter(since)).isPresent();
    }

    private static boolean isKnown(Headers headers, Opened file) {
        if (headers.first("If-None-Match").isPresent()) {
            return names(headers.all("If-None-Match"), file.tag(), true);
        }
        return headers.first("If-Modified-Since").flatMap(HttpDate::parse).filter(since -> !file.second().isAfter(since)).isPresent();
    }

    /** Compared strongly, as parts of two states of a file must not be put together. */
    private static boolean mayBeRange(Headers headers, Opened file) {
        return headers.first("If-Range")
            .map(value -> value.startsWith("\"") ? value.equals(file.tag())
                : HttpDate.parse(value).filter(file.second()::equals).isPresent())
            .orElse(true);
    }

    /** Whether one of the lists of entity tags has this one, which is strong, or is *. Weakly, a weak one is as good. */
    private static boolean names(List<String> lists, String tag, boolean weakly) {
        for (String list : lists) {
            for (String item : list.split(",")) {
                String name = item.strip();
                if (name.equals("*") || (weakly && name.startsWith("W/") ? name.substring(2) : name).equals(tag)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The range that a header asks for, with length 0 when the file has no byte of it; null for what is to be ignored. */
    private static Range parse(String header, long size) {
        if (size == 0) {
            return null; // there is no way to tell a range of nothing
        }
        String spec = header.toLowerCase(Locale.ROOT);
        int dash = spec.indexOf('-');
        if (!spec.startsWith("bytes=") || dash < 0 || spec.indexOf(',') >= 0) {
            return null;
        }
        String from = spec.substring("bytes=".length(), dash).strip();
        String to = spec.substring(dash + 1).strip();
        if (!(from + to).chars().allMatch(c -> c >= '0' && c <= '9') || (from + to).isEmpty() || from.length() > 18
            || to.length() > 18) {
            return null;
        }
        if (from.isEmpty()) {
            long last = Math.min(Long.parseLong(to), size);
            return new Range(size - last, last);
        }
        long first = Long.parseLong(from);
        long end = to.isEmpty() ? size : Math.min(size, Long.parseLong(to) + 1);
        if (!to.isEmpty() && Long.parseLong(to) < first) {
            return null;
        }
        return new Range(first, Math.max(0, end - first));
    }

    // ---- files

    private Found find(String path) throws IOException {
        if ((path + "/").equals(prefix)) {
            return new Directory();
        }
        if (!path.startsWith(prefix) || path.indexOf('\0') >= 0) {
            return new Nothing();
        }
        String[] names = path.substring(prefix.length()).split("/", -1);
        if (index != null && names[names.length - 1].isEmpty()) {
            names[names.length - 1] = index;
        }
        for (String name : names) {
            if (name.isEmpty() || name.equals(".") || name.equals("..") || name.getBytes(UTF_8).length > LONGEST_NAME) {
                return new Nothing();
            }
        }
        try (DirectoryStream<Path> directory = Files.newDirectoryStream(root)) {
            if (!(directory instanceof SecureDirectoryStream<Path> secure)) {
                throw new IOException(root + " is on a file system where no path can be kept below it");
            }
            return find(secure, names, 0);
        } catch (NoSuchFileException | AccessDeniedException | InvalidPathException e) {
            return new Nothing(); // to a client, what may not be read is as good as not there
        }
    }

    private Found find(SecureDirectoryStream<Path> directory, String[] names, int at) throws IOException {
        Path name = root.getFileSystem().getPath(names[at]);
        BasicFileAttributes attributes = attributes(directory, name);
        if (at < names.length - 1) {
            if (!attributes.isDirectory()) {
                return new Nothing();
            }
            try (SecureDirectoryStream<Path> next = directory.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
                return find(next, names, at + 1);
            }
        }
        if (attributes.isDirectory()) {
            return new Directory();
        }
        while (attributes.isRegularFile()) { // to open a pipe would wait for its writer
            FileChannel file = (FileChannel) directory.newByteChannel(name, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
            BasicFileAttributes opened;
            try {
                opened = attributes(directory, name);
                if (isSame(attributes, opened)) {
                    return new Opened(file, names[at], file.size(), attributes.lastModifiedTime().toInstant());
                }
            } catch (Throwable e) {
                file.close();
                throw e;
            }
            file.close();
            attributes = opened; // another file has taken its place meanwhile, and the tag of one must not be told for the other
        }
        return new Nothing();
    }

    private static BasicFileAttributes attributes(SecureDirectoryStream<Path> directory, Path name) throws IOException {
        return directory.getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS).readAttributes();
    }

    private static boolean isSame(BasicFileAttributes one, BasicFileAttributes other) {
        return Objects.equals(one.fileKey(), other.fileKey()) && one.lastModifiedTime().equals(other.lastModifiedTime());
    }

    private static String type(String name) {
        String suffix = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        String type = suffix.length() == name.length() ? null
            : TYPES.getOrDefault(suffix, URLConnection.guessContentTypeFromName(name));
        return type == null ? "application/octet-stream" : type;
    }
}
