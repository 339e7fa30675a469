package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"example.com/client/shared"
	"github.com/segmentio/kafka-go"
)

// its reader tells what it is assigned by its log alone
var subscribed, placed = regexp.MustCompile(`^subscribed to topics and partitions`), regexp.MustCompile(`partition:(\d+)`)

func hear(format string, args ...interface{}) {
	line := fmt.Sprintf(format, args...)
	if !subscribed.MatchString(line) {
		return
	}
	assigned := shared.Assigned{}
	// all of it is given back before it is assigned anew
	assigned.Say()
	for _, found := range placed.FindAllStringSubmatch(line, -1) {
		partition, err := strconv.Atoi(found[1])
		shared.Check(err)
		assigned.Add(partition)
	}
	assigned.Say()
}

// member is kafka-go as a member of a group:
//
//	kafkago BOOTSTRAP member TOPIC GROUP NAME KIND
//
// KIND is "range" or "roundrobin".
func member(group, name, kind string) {
	balancer := kafka.GroupBalancer(kafka.RangeGroupBalancer{})
	if kind == "roundrobin" {
		balancer = kafka.RoundRobinGroupBalancer{}
	}
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, GroupID: group, Topic: topic, MaxWait: 200 * time.Millisecond,
		GroupBalancers: []kafka.GroupBalancer{balancer}, SessionTimeout: 6 * time.Second, HeartbeatInterval: 500 * time.Millisecond,
		StartOffset: kafka.FirstOffset, CommitInterval: 200 * time.Millisecond, Dialer: &kafka.Dialer{ClientID: name, Timeout: 10 * time.Second},
		Logger: kafka.LoggerFunc(hear), ErrorLogger: kafka.LoggerFunc(func(format string, args ...interface{}) { fmt.Fprintf(os.Stderr, format+"\n", args...) })})
	ctx, stop := signal.NotifyContext(background, syscall.SIGTERM)
	defer stop()
	for {
		message, err := reader.FetchMessage(ctx)
		if ctx.Err() != nil {
			break
		}
		shared.Check(err)
		fmt.Printf("record %d %d %s\n", message.Partition, message.Offset, message.Value)
		shared.Check(reader.CommitMessages(context.Background(), message))
	}
	shared.Check(reader.Close())
}
