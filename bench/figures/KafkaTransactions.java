// Transactions by Kafka's own producer, each of so many records, one behind the other as fast as they are committed:
//
//   java -cp ... KafkaTransactions BOOTSTRAP TOPIC RECORDS SIZE SECONDS WARM_UP_SECONDS LOAD...
//
// A load is a number of producers, each with a transactional id and a thread of its own; with "+offsets" behind it they
// commit an offset of a group of their own in each transaction as well.
//
// For each load it prints "ready" when what is to be measured begins, and then
//
//   transactions a second, milliseconds of a commit: median, worst hundredth, worst of all; how many transactions were
//   measured, and how many of them the producer had that had the fewest
//
// An error, or a call that takes longer than LIMIT_SECONDS, ends it; it says which producer's call it was, and what
// calls the others were in.
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class KafkaTransactions {
    static final int LIMIT_SECONDS = 60;
    static String bootstrap, topic;
    static int records;
    static byte[] value;

    static volatile boolean ends;
    static volatile long from = Long.MAX_VALUE, until = Long.MAX_VALUE;

    static class Worker extends Thread {
        final String id;
        final boolean offsets;
        final CountDownLatch begun;
        KafkaProducer<byte[], byte[]> producer;
        volatile String call = "new";
        volatile long since = System.nanoTime();
        volatile Throwable failure;
        volatile long ended;
        long[] commits = new long[1024];
        volatile int count;

        Worker(int load, int number, boolean offsets, CountDownLatch begun) {
            this.id = "bench-" + load + (offsets ? "o-" : "-") + number;
            this.offsets = offsets;
            this.begun = begun;
        }

        void call(String name) {
            since = System.nanoTime();
            call = name;
        }

        // what it is in, for whoever asks why it does not go on
        String state() {
            return call + " of its transaction " + (ended + 1) + " for " + (System.nanoTime() - since) / 1_000_000 + " ms";
        }

        void note(long nanoseconds) {
            if (count == commits.length)
                commits = Arrays.copyOf(commits, 2 * count);
            commits[count++] = nanoseconds;
        }

        void transaction() {
            call("beginTransaction()");
            producer.beginTransaction();
            call("send()");
            for (int i = 0; i < records; i++)
                producer.send(new ProducerRecord<>(topic, value));
            if (offsets) {
                call("sendOffsetsToTransaction()");
                producer.sendOffsetsToTransaction(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(ended)),
                    group("group-" + id));
            }
            call("commitTransaction()");
            long began = since;
            // The client's thread asks first whether records are unsent, and then whether the transaction is to end: where all of
            // it came in between, it would end a transaction of which the broker has nothing.
            producer.flush();
            producer.commitTransaction();
            long now = System.nanoTime();
            ended++;
            if (now - from >= 0 && now - until < 0)
                note(now - began);
        }

        public void run() {
            try {
                call("initTransactions()");
                producer = new KafkaProducer<>(config(id), new ByteArraySerializer(), new ByteArraySerializer());
                producer.initTransactions();
                call("waiting for the others");
                begun.countDown();
                begun.await();
                while (!ends)
                    transaction();
                call("ended");
            } catch (Throwable e) {
                failure = e;
                begun.countDown();
            }
        }
    }

    static Properties config(String id) {
        Properties config = new Properties();

        config.put("bootstrap.servers", bootstrap);
        config.put("transactional.id", id);
        config.put("buffer.memory", 1 << 20);
        config.put("max.block.ms", LIMIT_SECONDS * 1000);
        config.put("enable.metrics.push", false);
        return config;
    }

    // how many are in which call
    static String states(List<Worker> workers) {
        Map<String, Integer> counts = new TreeMap<>();
        Worker oldest = null;

        for (Worker worker : workers) {
            counts.merge(worker.call, 1, Integer::sum);
            if (!worker.call.equals("ended") && (oldest == null || worker.since - oldest.since < 0))
                oldest = worker;
        }
        return counts + (oldest == null ? "" : "; for the longest time " + oldest.id + ", " + oldest.state());
    }

    static void fail(List<Worker> workers, Worker worker, String what) {
        System.err.println("error: " + worker.id + " of " + workers.size() + " producers at " + bootstrap + ", " + worker.state() + ": " + what);
        System.err.println("error: calls at " + bootstrap + ": " + states(workers));
        System.exit(1);
    }

    static void check(List<Worker> workers) {
        for (Worker worker : workers) {
            if (worker.failure != null)
                fail(workers, worker, worker.failure + (worker.failure.getCause() == null ? "" : ": " + worker.failure.getCause()));
            if (!worker.call.equals("ended") && !worker.call.equals("waiting for the others") &&
                System.nanoTime() - worker.since > (LIMIT_SECONDS + 5) * 1_000_000_000L)
                fail(workers, worker, "it does not return");
        }
    }

    // let them go on for a while
    static void sleep(List<Worker> workers, double seconds) throws InterruptedException {
        long end = System.nanoTime() + (long) (seconds * 1e9);

        for (long left; (left = end - System.nanoTime()) > 0;) {
            check(workers);
            TimeUnit.NANOSECONDS.sleep(Math.min(left, 100_000_000));
        }
    }

    static double at(long[] sorted, int hundredths) {
        return sorted[Math.min(sorted.length - 1, sorted.length * hundredths / 100)] / 1e6;
    }

    static void report(List<Worker> workers, double seconds) {
        long[] all = new long[workers.stream().mapToInt(w -> w.count).sum()];
        int n = 0;

        for (Worker worker : workers) {
            System.arraycopy(worker.commits, 0, all, n, worker.count);
            n += worker.count;
        }
        Arrays.sort(all);
        System.out.printf("%.1f %.3f %.3f %.3f %d %d%n", n / seconds, at(all, 50), at(all, 99), at(all, 100), n,
            workers.stream().mapToInt(w -> w.count).min().getAsInt());
    }

    @SuppressWarnings("removal")
    static ConsumerGroupMetadata group(String id) {
        return new ConsumerGroupMetadata(id);
    }

    static void load(int producers, boolean offsets, double seconds, double warmUp) throws Exception {
        List<Worker> workers = new ArrayList<>();
        CountDownLatch begun = new CountDownLatch(producers);

        ends = false;
        from = until = Long.MAX_VALUE;
        for (int i = 0; i < producers; i++)
            workers.add(new Worker(producers, i, offsets, begun));
        workers.forEach(Thread::start);
        while (!begun.await(100, TimeUnit.MILLISECONDS))
            check(workers);
        sleep(workers, warmUp);
        from = System.nanoTime();
        System.out.println("ready");
        // a machine may be too slow for a short load
        do
            sleep(workers, seconds);
        while (workers.stream().mapToInt(w -> w.count).sum() == 0);
        until = System.nanoTime();
        ends = true;
        for (Worker worker : workers)
            while (worker.isAlive()) {
                check(workers);
                worker.join(100);
            }
        check(workers);
        report(workers, (until - from) / 1e9);
        for (Worker worker : workers)
            worker.producer.close();
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        topic = args[1];
        records = Integer.parseInt(args[2]);
        value = new byte[Integer.parseInt(args[3])];
        for (int i = 6; i < args.length; i++)
            load(Integer.parseInt(args[i].replace("+offsets", "")), args[i].endsWith("+offsets"), Double.parseDouble(args[4]),
                Double.parseDouble(args[5]));
        System.exit(0);
    }
}
