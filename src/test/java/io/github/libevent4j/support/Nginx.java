package io.github.libevent4j.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** The server nginx, on a free port of the loopback. */
public final class Nginx implements AutoCloseable {

    private final Path directory;
    private final int port;
    private final Programs.Running running;

    /**
     * Starts it.
     *
     * @param directory where it keeps its files; what it serves is in {@code www} below
     * @param server what else stands in its configuration's server block
     */
    public Nginx(Path directory, String server) throws IOException, InterruptedException {
        this.directory = directory;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            this.port = free.getLocalPort();
        }
        Path configuration = Files.writeString(directory.resolve("nginx.conf"), """
            daemon off;
            master_process off;
            pid nginx.pid;
            error_log stderr notice;
            events {}
            http {
                log_format test '$connection $connection_requests $request';
                access_log access.log test;
                client_body_temp_path temp;
                proxy_temp_path temp;
                fastcgi_temp_path temp;
                uwsgi_temp_path temp;
                scgi_temp_path temp;
                server {
                    listen 127.0.0.1:%d;
                    root www;
                    %s
                }
            }
            """.formatted(port, server));
        Files.createDirectories(directory.resolve("www"));
        running = Programs.start("nginx", "-p", directory.toString(), "-e", "stderr", "-c", configuration.toString());
        running.awaitErrors(Pattern.compile("using the .* event method")); // it listens by now
    }

    public int port() {
        return port;
    }

    /** Stops it, and returns a line for each request: connection, number on that connection, request line. */
    public List<String> stop() throws IOException, InterruptedException {
        running.signal("TERM");
        assertEquals(0, running.await().exit());
        return Files.readAllLines(directory.resolve("access.log"));
    }

    @Override
    public void close() {
        running.close();
    }
}
