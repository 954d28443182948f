import io.github.libevent4j.Libevent;
import io.github.libevent4j.bindings.event_base;
import io.github.libevent4j.global.libevent;

/** Ends in libevent's {@code event_base_loop}, as C does that gives it nothing. */
public class Crash {
    public static void main(String[] args) {
        System.out.println(Libevent.version());
        libevent.event_base_loop((event_base) null, 0);
    }
}
