// Asks Argo CD's own code whether an application may be synced at some moments. What stands in windows.go is cut out of Argo CD's
// source by ../windows.ts; only the clock and the two types around it are ours.
package main

import (
	"encoding/json"
	"os"
	"time"

	"github.com/gobwas/glob"
)

// Application has of Argo CD's type what windows look at.
type Application struct {
	Name string
	Spec struct {
		Destination struct{ Name, Server, Namespace string }
	}
}

var moment time.Time

func now() time.Time { return moment }

func globMatch(pattern string, text string, _ bool) bool {
	compiled, err := glob.Compile(pattern)
	return err == nil && compiled.Match(text)
}

type logger struct{}

func (logger) Warnf(string, ...any) {}

var log logger

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	var asked struct {
		Windows      SyncWindows
		Applications []Application
		Moments      []time.Time
	}
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	for _, window := range asked.Windows {
		if err := window.Validate(); err != nil {
			panic(err)
		}
	}
	type answer struct {
		Application string    `json:"application"`
		At          time.Time `json:"at"`
		ByItself    bool      `json:"byItself"`
		ByHand      bool      `json:"byHand"`
	}
	answers := []answer{}
	for _, application := range asked.Applications {
		for _, moment = range asked.Moments {
			windows := asked.Windows.Matches(&application)
			answers = append(answers, answer{
				application.Name, moment, must(windows.CanSync(false)), must(windows.CanSync(true)),
			})
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
