package mailtest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// A Stack is a small simulated mail host on loopback: DKIMproxy in front of a
// Postfix re-injection listener, amavisd, Cluebringer, an IMAP back end, LMTP,
// and two ports whose services do not match their numbers.
type Stack struct {
	Services []Service
}

// A Service is one port of a stack.
type Service struct {
	Name string // the simulated daemon, for people
	Port uint16 // its port on a mail host
	*Server
}

// StartStack starts the stack on an address of this host, such as 127.0.0.1. A
// service whose usual port is taken gets another one.
func StartStack(address netip.Addr) (*Stack, error) {
	s := new(Stack)
	if err := s.start(address); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stack) start(address netip.Addr) error {
	scripts := []struct {
		daemon, name string
		port         uint16
	}{
		{"postfix-reinjection", "Postfix re-injection", 10028},
		{"dovecot-imap", "Dovecot IMAP back end", 10143},
		{"dovecot-lmtp", "Dovecot LMTP", 10083},
		{"ssh", "a decoy: SSH where a filter is expected", 10026},
		{"http", "a decoy: a web server where a policy service is expected", 10040},
	}
	for _, d := range scripts {
		h, err := Daemon(d.daemon)
		if err != nil {
			return err
		}
		if err := s.add(address, d.port, d.name, h); err != nil {
			return err
		}
	}
	behind := s.Services[0].Addr().String()
	for _, d := range []struct {
		name string
		port uint16
		h    Handler
	}{
		{"DKIMproxy, which relays to the Postfix re-injection port", 10027, DKIMproxy{Next: behind}},
		{"amavisd", 10024, new(Amavis)},
		{"Cluebringer", 10031, &Cluebringer{HTTP: true}},
	} {
		if err := s.add(address, d.port, d.name, d.h); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) add(address netip.Addr, port uint16, name string, h Handler) error {
	host := address.String()
	server, err := Listen(net.JoinHostPort(host, strconv.Itoa(int(port))), h)
	if err != nil {
		server, err = Listen(net.JoinHostPort(host, "0"), h)
	}
	if err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	s.Services = append(s.Services, Service{name, port, server})
	return nil
}

// Close closes all services.
func (s *Stack) Close() error {
	var errs []error
	for _, e := range s.Services {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}
