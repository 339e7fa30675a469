// kafka-go, of segmentio.  It speaks old versions of the requests.
//
//	kafkago BOOTSTRAP SCENARIO TOPIC [RECORDS]
//	kafkago BOOTSTRAP member TOPIC GROUP NAME KIND
//
// README.md says what each scenario is.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"time"

	"example.com/client/shared"
	"github.com/segmentio/kafka-go"
)

var (
	bootstrap, scenario, topic = os.Args[1], os.Args[2], os.Args[3]
	background                 = context.Background()
)

// manual chooses the partition that the record's WriterData is.
var manual = kafka.BalancerFunc(func(message kafka.Message, _ ...int) int { return message.WriterData.(int) })

func writer(balancer kafka.Balancer) *kafka.Writer {
	return &kafka.Writer{Addr: kafka.TCP(bootstrap), Topic: topic, Balancer: balancer, BatchTimeout: 10 * time.Millisecond, RequiredAcks: kafka.RequireAll, MaxAttempts: 2}
}

func toMessage(record shared.Record) kafka.Message {
	message := kafka.Message{WriterData: record.Partition, Key: record.Key, Value: record.Value}
	if record.Timestamp >= 0 {
		message.Time = time.UnixMilli(record.Timestamp)
	}
	for _, header := range record.Headers {
		message.Headers = append(message.Headers, kafka.Header{Key: header.Name, Value: header.Value})
	}
	return message
}

func print(message kafka.Message) {
	shown := shared.Record{Partition: message.Partition, Timestamp: message.Time.UnixMilli(), Key: message.Key, Value: message.Value}
	for _, header := range message.Headers {
		shown.Headers = append(shown.Headers, shared.Header{Name: header.Key, Value: header.Value})
	}
	shared.Print(message.Offset, shown)
}

func send(balancer kafka.Balancer, records []shared.Record, set func(*kafka.Writer)) {
	writer := writer(balancer)
	set(writer)
	messages := []kafka.Message{}
	for _, record := range records {
		messages = append(messages, toMessage(record))
	}
	shared.Check(writer.WriteMessages(background, messages...))
	shared.Check(writer.Close())
}

func leader(partition int) *kafka.Conn {
	conn, err := kafka.DialLeader(background, "tcp", bootstrap, topic, partition)
	shared.Check(err)
	return conn
}

func partitions() (ids []int) {
	conn, err := kafka.Dial("tcp", bootstrap)
	shared.Check(err)
	defer conn.Close()
	found, err := conn.ReadPartitions(topic)
	shared.Check(err)
	for _, partition := range found {
		ids = append(ids, partition.ID)
	}
	sort.Ints(ids)
	return ids
}

// from reads a partition's records from an offset up to another.
func from(partition int, offset, end int64, each func(kafka.Message)) {
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: topic, Partition: partition, MaxWait: time.Second})
	defer reader.Close()
	shared.Check(reader.SetOffset(offset))
	for offset < end {
		message, err := reader.ReadMessage(background)
		shared.Check(err)
		each(message)
		offset = message.Offset + 1
	}
}

func all(each func(kafka.Message)) {
	for _, partition := range partitions() {
		conn := leader(partition)
		first, last, err := conn.ReadOffsets()
		shared.Check(err)
		shared.Check(conn.Close())
		from(partition, first, last, each)
	}
}

func digests() {
	digests := shared.Digests{}
	all(func(message kafka.Message) { digests.Add(message.Partition, message.Value) })
	digests.Print()
}

func metadata() {
	conn, err := kafka.Dial("tcp", bootstrap)
	shared.Check(err)
	brokers, err := conn.Brokers()
	shared.Check(err)
	controller, err := conn.Controller()
	shared.Check(err)
	fmt.Println("nodes", len(brokers), "a controller", controller.Port > 0)
	found, err := conn.ReadPartitions(topic)
	shared.Check(err)
	sort.Slice(found, func(a, b int) bool { return found[a].ID < found[b].ID })
	for _, partition := range found {
		fmt.Println("partition", partition.ID, "a leader", partition.Leader.Port > 0, "replicas", len(partition.Replicas), "in sync", len(partition.Isr))
	}
	_, err = conn.ReadPartitions(shared.Unknown)
	fmt.Println("an unknown topic:", err)
}

func offsets() {
	for _, partition := range partitions() {
		conn := leader(partition)
		first, last, err := conn.ReadOffsets()
		shared.Check(err)
		fmt.Println("partition", partition, "begins", first, "ends", last)
		for _, at := range shared.Times {
			offset, err := conn.ReadOffset(time.UnixMilli(at))
			fmt.Printf("at %d: %d %v\n", at, offset, err)
		}
		shared.Check(conn.Close())
	}
}

func errorsOf() {
	try := func(what string, message kafka.Message, topic string) {
		writer := writer(manual)
		writer.Topic, writer.BatchBytes = topic, 10000000
		message.WriterData = 0
		err := writer.WriteMessages(background, message)
		var kafkaError kafka.Error
		if errors.As(err, &kafkaError) {
			fmt.Println(what+":", kafkaError.Title())
		} else if several, ok := err.(kafka.WriteErrors); ok && errors.As(several[0], &kafkaError) {
			fmt.Println(what+":", kafkaError.Title())
		} else {
			fmt.Println(what+":", err)
		}
		writer.Close()
	}
	try("an unknown topic", kafka.Message{Value: []byte("v")}, shared.Unknown)
	try("a record that is too large", kafka.Message{Value: make([]byte, 200000)}, topic)
	try("a timestamp in the future", kafka.Message{Value: []byte("v"), Time: time.Now().Add(1000000 * time.Second)}, topic)
	try("a good record", kafka.Message{Value: []byte("good"), Time: time.UnixMilli(1700000000000)}, topic)
	all(print)
}

func main() {
	switch scenario {
	case "member":
		member(os.Args[4], os.Args[5], os.Args[6])
	case "metadata":
		metadata()
	case "write":
		for _, record := range shared.Records(os.Args[4]) {
			if record.Timestamp == 0 {
				fmt.Println("cannot be said: 0 is the time of now")
				continue
			}
			send(manual, []shared.Record{record}, func(*kafka.Writer) {})
		}
		all(print)
	case "read":
		all(print)
	case "keys":
		send(kafka.Murmur2Balancer{Consistent: true}, shared.Keyed(), func(*kafka.Writer) {})
		all(print)
	case "own_keys":
		// as sarama chooses partitions
		send(&kafka.Hash{}, shared.Keyed(), func(*kafka.Writer) {})
		all(print)
	case "codecs":
		for n, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
			send(manual, shared.OfCodec(name), func(writer *kafka.Writer) { writer.Compression = kafka.Compression(n) })
		}
		digests()
	case "acks":
		for _, acks := range []kafka.RequiredAcks{kafka.RequireNone, kafka.RequireOne, kafka.RequireAll} {
			for n := int64(0); n < 5; n++ {
				record := shared.Record{Timestamp: 1700000000000 + n, Value: []byte(fmt.Sprint("acks ", acks, " ", n))}
				send(manual, []shared.Record{record}, func(writer *kafka.Writer) { writer.RequiredAcks = acks })
			}
		}
		all(print)
	case "offsets":
		offsets()
	case "seek":
		for _, offset := range []int64{4, 0, 3, 1} {
			from(0, offset, offset+1, print)
		}
	case "errors":
		errorsOf()
	}
}
