/**
 * libevent for the JVM: event bases, evhttp servers and evhttp clients, on the real libevent.
 *
 * <p>The native library is in a module of its own for each platform, such as {@code io.github.libevent4j.linux.x86_64}, which no other
 * module requires: on a module path, {@code --add-modules} names it.
 */
module io.github.libevent4j {
    requires transitive org.bytedeco.javacpp;

    exports io.github.libevent4j;
    exports io.github.libevent4j.bindings;
    exports io.github.libevent4j.dns;
    exports io.github.libevent4j.global;
    exports io.github.libevent4j.http;
    exports io.github.libevent4j.io;

    exports io.github.libevent4j.presets to org.bytedeco.javacpp; // which asks them how to load the library
}
