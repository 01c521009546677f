package policy_test

import (
	"fmt"
	"log"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/policy"
)

func ExampleParseFailOn() {
	rules, err := exposure.Builtin()
	if err != nil {
		log.Fatal(err)
	}
	_, err = policy.ParseFailOn("any:hihg", rules)
	fmt.Println(err)
	// Output: "any:hihg": unknown severity "hihg"
}
