// CNCF Distribution's registry with the file system as its only store, for the stack's registry. Upstream's program also contains
// the stores of clouds, which are most of its size and of the time to build it.
package main

import (
	"os"

	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

func main() {
	if err := registry.RootCmd.Execute(); err != nil {
		os.Exit(1)
	}
}
