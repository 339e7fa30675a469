// Package shared is what the Go clients share: the records to write, and how a record is printed.
package shared

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"os"
	"sort"
	"strings"
)

var Times = []int64{0, 1, 2, 1700000001000, 1700000001001, 1700000002500, 1700000004000, 1700000006002, 1700000007001}

const Unknown = "kafka_no_such_topic"

type Header struct {
	Name  string
	Value []byte
}

// Record is a record to write or that was read.  A timestamp of -1 is left to the client.
type Record struct {
	Partition  int
	Timestamp  int64
	Key, Value []byte
	Headers    []Header
}

func Check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func bytes(text *string) []byte {
	if text == nil {
		return nil
	}
	if strings.HasPrefix(*text, `\x`) {
		data, err := hex.DecodeString((*text)[2:])
		Check(err)
		return data
	}
	return []byte(*text)
}

// Records reads the records of a file.
func Records(path string) (records []Record) {
	file, err := os.Open(path)
	Check(err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var one struct {
			Partition  int
			Timestamp  int64
			Key, Value *string
			Headers    [][]*string
		}
		Check(json.Unmarshal(lines.Bytes(), &one))
		record := Record{one.Partition, one.Timestamp, bytes(one.Key), bytes(one.Value), nil}
		for _, header := range one.Headers {
			record.Headers = append(record.Headers, Header{*header[0], bytes(header[1])})
		}
		records = append(records, record)
	}
	return records
}

func Text(data []byte) string {
	if data == nil {
		return "null"
	}
	text := `"`
	for _, b := range data {
		if b >= 32 && b < 127 && b != '"' && b != '\\' {
			text += string(rune(b))
		} else {
			text += fmt.Sprintf(`\x%02x`, b)
		}
	}
	return text + `"`
}

func Print(offset int64, record Record) {
	headers := []string{}
	for _, header := range record.Headers {
		headers = append(headers, Text([]byte(header.Name))+"="+Text(header.Value))
	}
	shown := strings.Join(headers, ",")
	if shown == "" {
		shown = "-"
	}
	fmt.Println("record", record.Partition, offset, record.Timestamp, Text(record.Key), Text(record.Value), shown)
}

// Keyed are the records of "keys".
func Keyed() (records []Record) {
	for n := int64(0); n < 60; n++ {
		key := fmt.Sprintf("key%s%d", strings.Repeat("x", int(n%9)), n)
		records = append(records, Record{0, 1700000000000 + n, []byte(key), []byte(fmt.Sprint("value ", n)), nil})
	}
	return records
}

// OfCodec are the records of "codecs".
func OfCodec(codec string) (records []Record) {
	for n := int64(0); n < 100; n++ {
		value := fmt.Sprintf("%s %d%s", codec, n, strings.Repeat(" text", 50))
		records = append(records, Record{0, 1700000000000 + n, []byte(fmt.Sprint("key ", n)), []byte(value), nil})
	}
	return records
}

// Many are the records of "many".
func Many() (records []Record) {
	for n := 0; n < 50000; n++ {
		value := fmt.Sprintf("value %d%s", n, strings.Repeat(" ", n%200))
		records = append(records, Record{0, -1, []byte(fmt.Sprint("key ", n%1000)), []byte(value), nil})
	}
	return records
}

// Digests counts each partition's values, and sums them up.
type Digests map[int]hash.Hash

var counts = map[int]int{}

func (digests Digests) Add(partition int, value []byte) {
	if digests[partition] == nil {
		digests[partition] = md5.New()
	}
	digests[partition].Write(value)
	counts[partition]++
}

func (digests Digests) Print() {
	partitions := []int{}
	for partition := range digests {
		partitions = append(partitions, partition)
	}
	sort.Ints(partitions)
	for _, partition := range partitions {
		fmt.Printf("partition %d records %d md5 %x\n", partition, counts[partition], digests[partition].Sum(nil))
	}
}
