package signatures_test

import (
	"fmt"
	"log"

	"github.com/mxsweep/mxsweep/signatures"
)

// Looks for the signatures that hold for a greeting, with no other question
// asked.
func ExampleSignature_Match() {
	known, err := signatures.Default()
	if err != nil {
		log.Fatal(err)
	}
	said := &signatures.Transcript{Exchanges: []signatures.Exchange{{
		Probe: signatures.Greeting,
		Reply: []byte("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] Dovecot (Debian) ready.\r\n"),
		End:   signatures.EndReply,
	}}}
	for _, signature := range known.Signatures {
		if signature.Match(said) == signatures.True {
			fmt.Println(signature.ID, signature.Values(said))
		}
	}
	// Output:
	// dovecot-imap map[extra_info:Debian]
	// imap map[]
}

func ExamplePorts() {
	ports, err := signatures.DefaultPorts()
	if err != nil {
		log.Fatal(err)
	}
	port, _ := ports.Lookup(10028)
	fmt.Println(port.Title)
	fmt.Println("internal:", port.Internal, "related:", port.Related)
	// Output:
	// SMTP re-injection after the signing proxy
	// internal: true related: [587 10026 10027]
}
