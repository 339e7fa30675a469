package shared

import (
	"fmt"
	"sort"
)

// Assigned are the partitions that a member of a group has.
type Assigned map[int]bool

func (assigned Assigned) Add(partition int)    { assigned[partition] = true }
func (assigned Assigned) Remove(partition int) { delete(assigned, partition) }

// Say prints them, in one write.
func (assigned Assigned) Say() {
	partitions := []int{}
	for partition := range assigned {
		partitions = append(partitions, partition)
	}
	sort.Ints(partitions)
	line := "assigned"
	for _, partition := range partitions {
		line += fmt.Sprint(" ", partition)
	}
	fmt.Println(line)
}
