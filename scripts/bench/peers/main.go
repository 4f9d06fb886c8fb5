// The peers that are Go libraries, each in the way its documentation shows, and the floors: what is
// left of the work when nothing is done with the bytes.
//
//	peers consume-franz|consume-sarama|consume-original|floor-fetch BROKERS TOPIC
//	peers produce-franz|produce-sarama BROKERS TOPIC CODEC < rows
//	peers floor-produce BROKERS TOPIC FROM-TOPIC
package main

import (
	"fmt"
	"os"
	"strings"
)

var commands = map[string]func(brokers []string, topic, argument string) error{
	"consume-franz":    consumeFranz,
	"consume-sarama":   consumeSarama,
	"consume-original": consumeOriginal,
	"floor-fetch":      floorFetch,
	"produce-franz":    produceFranz,
	"produce-sarama":   produceSarama,
	"floor-produce":    floorProduce,
}

func main() {
	if len(os.Args) < 4 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: peers COMMAND BROKERS TOPIC [ARGUMENT]")
		os.Exit(64)
	}
	argument := ""
	if len(os.Args) > 4 {
		argument = os.Args[4]
	}
	if err := commands[os.Args[1]](strings.Split(os.Args[2], ","), os.Args[3], argument); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
