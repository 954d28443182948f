package benchmarks;

import com.sun.management.ThreadMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * What harness/programs.py asks of a program on its standard input, a line at a time, and gets answered on its standard output. What
 * an answer needs is not loaded before it is asked for: it is no part of a program's start.
 */
public final class Answers {

    /** What a program does that has work of its own. */
    @FunctionalInterface
    public interface Work {
        /** Works for so many seconds, and returns how many operations that were. */
        long run(double seconds) throws Exception;

        /** Makes ready for that, which is no part of it. */
        default void prepare() {
        }
    }

    private Answers() {
    }

    /** Says that the server is ready. Ends the program when its input ends. */
    public static void ready() throws Exception {
        ready(seconds -> {
            throw new UnsupportedOperationException("a server has no work of its own");
        });
    }

    /** Says that the program is ready, and works as it is asked to. Ends the program when its input ends. */
    public static void ready(Work work) throws Exception {
        System.out.println("ready");
        var questions = new BufferedReader(new InputStreamReader(System.in));
        for (String question = questions.readLine(); question != null; question = questions.readLine()) {
            System.out.println(switch (question) {
                case "allocated" -> allocated();
                case "live" -> live();
                case "prepare" -> prepare(work);
                default -> round(work, Double.parseDouble(question));
            });
        }
        System.exit(0);
    }

    private static String prepare(Work work) {
        work.prepare();
        return "prepared";
    }

    private static String round(Work work, double seconds) throws Exception {
        long started = System.nanoTime();
        long operations = work.run(seconds);
        return operations + " " + (System.nanoTime() - started) / 1e9;
    }

    /** Bytes that all threads have ever allocated on the heap. */
    private static long allocated() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.getThreadAllocatedBytes(threads.getAllThreadIds())).filter(bytes -> bytes > 0).sum();
    }

    /** Bytes of the heap that are in use when all garbage is collected. */
    private static long live() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
