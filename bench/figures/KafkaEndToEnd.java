// Sends records of 100 bytes one at a time, waits for each at a consumer, and prints the milliseconds from
// send() to there: of the median and of the worst hundredth.
//
//   java -cp ... KafkaEndToEnd.java BOOTSTRAP TOPIC COUNT
//
// As EndToEndLatency of Kafka does it, with its settings: acks=all, and a consumer that asks again and again
// without waiting at the broker.  That one joins a group, and this one assigns the partitions itself.
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class KafkaEndToEnd {
    // so many records are sent before those that count: Java is slow at first
    static final int WARM_UP = 2000;

    public static void main(String[] args) throws Exception {
        int count = Integer.parseInt(args[2]);
        double[] took = new double[count];
        Properties producing = new Properties(), consuming = new Properties();

        producing.put("bootstrap.servers", args[0]);
        producing.put("acks", "all");
        producing.put("linger.ms", "0");
        consuming.put("bootstrap.servers", args[0]);
        consuming.put("fetch.max.wait.ms", "0");
        try (var producer = new KafkaProducer<>(producing, new ByteArraySerializer(), new ByteArraySerializer());
             var consumer = new KafkaConsumer<>(consuming, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(args[1]).stream().map(p -> new TopicPartition(args[1], p.partition())).toList();

            consumer.assign(partitions);
            consumer.seekToEnd(partitions);
            partitions.forEach(consumer::position);
            for (int i = -WARM_UP; i < count; i++) {
                long began = System.nanoTime();

                producer.send(new ProducerRecord<>(args[1], new byte[100])).get();
                if (consumer.poll(Duration.ofSeconds(10)).count() != 1)
                    throw new IllegalStateException("record " + i + " did not come alone");
                if (i >= 0)
                    took[i] = (System.nanoTime() - began) / 1e6;
            }
        }
        Arrays.sort(took);
        System.out.printf("%.3f %.3f%n", took[count / 2], took[count * 99 / 100]);
    }
}
