// Holds dashboards to Grafana's own definitions of dashboards, graphs and queries of Prometheus, strictly: what it does not know is a fault.
// Usage: grafana <dashboard.json> ... Prints a line for each fault.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func fault(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var read dashboard.Dashboard
	// Without a fault both give an error that holds none.
	for _, err := range []error{read.UnmarshalJSONStrict(text), read.Validate()} {
		if err != nil && err.Error() != "" {
			return err
		}
	}
	if len(read.Panels) == 0 {
		return fmt.Errorf("it has no panel")
	}
	return nil
}

func main() {
	plugins.RegisterDefaultPlugins()
	for _, path := range os.Args[1:] {
		if err := fault(path); err != nil {
			fmt.Printf("%s: %v\n", path, err)
		}
	}
}
