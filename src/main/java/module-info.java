/**
 * libevent for the JVM: event bases, evhttp servers and evhttp clients, on the real libevent.
 *
 * <p>The native library is in a module of its own for each platform, such as {@code io.github.libevent4j.linux.x86_64}. Those on the
 * module path come with this one; {@code jlink} needs {@code --add-modules} with the name of one.
 */
module io.github.libevent4j {
    requires transitive org.bytedeco.javacpp;

    exports io.github.libevent4j;
    exports io.github.libevent4j.bindings;
    exports io.github.libevent4j.dns;
    exports io.github.libevent4j.global;
    exports io.github.libevent4j.http;
    exports io.github.libevent4j.io;

    uses io.github.libevent4j.Libevent; // provided by the platforms' modules, which are thereby there without being named

    exports io.github.libevent4j.presets to org.bytedeco.javacpp; // which asks them how to load the library
}
