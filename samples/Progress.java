import java.io.PrintStream;
import java.util.Locale;

/** A line that tells how far a transfer is, written anew whenever there is news. */
final class Progress implements AutoCloseable {

    private static final int WIDTH = 40;
    private static final double MEBIBYTE = 1 << 20;

    private final PrintStream out;
    private final long total;
    private long done;
    private long shown = -1;

    /**
     * Begins.
     *
     * @param total the bytes that are to come, or -1 when nobody knows
     */
    Progress(PrintStream out, long total) {
        this.out = out;
        this.total = total;
        add(0);
    }

    /** So many bytes more are through. */
    void add(long bytes) {
        done += bytes;
        long news = total > 0 ? done * 100 / total : done >> 20;
        if (news != shown) {
            shown = news;
            out.print(total > 0 ? bar((int) news) : String.format(Locale.ROOT, "\r%.1f MiB", done / MEBIBYTE));
            out.flush();
        }
    }

    private String bar(int percent) {
        int filled = WIDTH * percent / 100;
        return String.format(Locale.ROOT, "\r[%s%s] %3d %% of %.1f MiB", "=".repeat(filled), " ".repeat(WIDTH - filled), percent, total / MEBIBYTE);
    }

    /** Leaves the line as it is. */
    @Override
    public void close() {
        out.println();
    }
}
