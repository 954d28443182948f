package io.github.libevent4j.support;

import java.lang.management.ManagementFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/** What this JVM knows of itself. */
public final class Jvm {

    private static final Pattern REFERENCES = Pattern.compile("JNI global refs: (\\d+), weak refs: (\\d+)");

    private Jvm() {
    }

    /** Global references that native code holds, the weak ones too. */
    public static long globalReferences() throws JMException {
        String threads = (String) ManagementFactory.getPlatformMBeanServer().invoke(
            new ObjectName("com.sun.management:type=DiagnosticCommand"), "threadPrint",
            new Object[] {new String[0]}, new String[] {String[].class.getName()});
        Matcher found = REFERENCES.matcher(threads);
        if (!found.find()) {
            throw new IllegalStateException("the JVM does not tell its global references: " + threads);
        }
        return Long.parseLong(found.group(1)) + Long.parseLong(found.group(2));
    }
}
