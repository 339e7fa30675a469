// Runs an SQL statement that produces a record, again and again, in a session of psql, and waits for each
// record at a consumer that waits at the broker.  Prints milliseconds from when the statement is sent: the
// median until psql has its answer, the median and the worst hundredth until the consumer has the record.
//
//   java -cp ... KafkaWoken.java BOOTSTRAP TOPIC COUNT STATEMENT PSQL...
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class KafkaWoken {
    // so many records come before those that count: Java is slow at first
    static final int WARM_UP = 2000;

    // Put the time of each record into the queue when it is there; the first entry says that this consumer waits.
    static void consume(String bootstrap, String topic, LinkedBlockingQueue<Long> arrived) {
        Properties properties = new Properties();

        properties.put("bootstrap.servers", bootstrap);
        try (var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream().map(p -> new TopicPartition(topic, p.partition())).toList();

            consumer.assign(partitions);
            consumer.seekToEnd(partitions);
            partitions.forEach(consumer::position);
            arrived.add(0L);
            while (true)
                consumer.poll(Duration.ofSeconds(10)).forEach(record -> arrived.add(System.nanoTime()));
        }
    }

    static double quantile(double[] sorted, int percent) {
        return sorted[(int) ((long) sorted.length * percent / 100)];
    }

    public static void main(String[] args) throws Exception {
        int count = Integer.parseInt(args[2]);
        double[] answered = new double[count], woken = new double[count];
        var arrived = new LinkedBlockingQueue<Long>();
        Thread consumer = new Thread(() -> consume(args[0], args[1], arrived));
        Process psql = new ProcessBuilder(Arrays.asList(args).subList(4, args.length)).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        var out = psql.outputWriter();
        var in = new BufferedReader(new InputStreamReader(psql.getInputStream()));

        consumer.setDaemon(true);
        consumer.start();
        arrived.take();
        for (int i = -WARM_UP; i < count; i++) {
            // until it waits again
            Thread.sleep(2);
            long began = System.nanoTime();

            out.write(args[3] + ";\n");
            out.flush();
            if (in.readLine() == null)
                throw new IllegalStateException("psql has ended");
            long answer = System.nanoTime();
            Long arrival = arrived.poll(10, TimeUnit.SECONDS);

            if (arrival == null)
                throw new IllegalStateException("record " + i + " did not come");
            if (i >= 0) {
                answered[i] = (answer - began) / 1e6;
                woken[i] = (arrival - began) / 1e6;
            }
        }
        out.close();
        Arrays.sort(answered);
        Arrays.sort(woken);
        System.out.printf("%.3f %.3f %.3f%n", quantile(answered, 50), quantile(woken, 50), quantile(woken, 99));
    }
}
