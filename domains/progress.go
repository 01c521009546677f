package domains

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/mxsweep/mxsweep/internal/userfile"
)

// A Progress is a file of the domains that were looked up, so that a lookup of many that was stopped
// can go on: one JSON document a line, the first of which says what was asked. Domains with gaps are
// not in it: they are asked again. A nil Progress keeps nothing. Several goroutines may use it.
type Progress struct {
	mu   sync.Mutex
	file *os.File
	done map[string]*Domain
	err  error // the first one of writing
}

// A progressHead is the first line of a progress file.
type progressHead struct {
	Format string `json:"mxsweep_domain_progress"`
	Asked  string `json:"asked"`
}

const progressFormat = "1"

// maxProgress is the size up to which a progress file is read, in bytes.
const maxProgress = 1 << 30

// OpenProgress opens the file, or creates it. Asked says what else decides what is found, such as the
// scope: a file with another one is refused. A last line that was cut off is dropped.
func OpenProgress(name, asked string) (*Progress, error) {
	p := &Progress{done: map[string]*Domain{}}
	data, err := userfile.ReadLimited(name, maxProgress)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	if err := p.read(data[:whole], asked); err != nil {
		return nil, fmt.Errorf("reading progress %q: %w", name, err)
	}
	if p.file, err = os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if err := errors.Join(p.file.Truncate(int64(whole)), seekEnd(p.file)); err != nil {
		return nil, errors.Join(err, p.file.Close())
	}
	if whole == 0 {
		p.write(progressHead{progressFormat, asked})
	}
	return p, p.err
}

// seekEnd goes to the end of a file.
func seekEnd(f *os.File) error {
	_, err := f.Seek(0, 2)
	return err
}

// read reads the lines of a progress file.
func (p *Progress) read(data []byte, asked string) error {
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		if n == 1 {
			var head progressHead
			if err := json.Unmarshal(line, &head); err != nil || head.Format != progressFormat {
				return errors.New("it is no file of an earlier run of this command")
			}
			if head.Asked != asked {
				return fmt.Errorf("it is of a run with other settings: %s, not %s", head.Asked, asked)
			}
			continue
		}
		d := &Domain{}
		err := json.Unmarshal(line, d)
		if err == nil {
			err = d.check()
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		p.done[d.Name] = d
	}
	return nil
}

// check returns an error for a domain that no walk returns.
func (d *Domain) check() error {
	for _, h := range d.Hosts {
		if h == nil || h.Name == "" && len(h.Addresses) == 0 || len(h.Paths) == 0 {
			return errors.New("a host without a name, an address or a path")
		}
	}
	for _, n := range d.Networks {
		if n == nil || !n.Prefix.IsValid() || len(n.Paths) == 0 {
			return errors.New("a network without a prefix or a path")
		}
	}
	if d.Name == "" {
		return errors.New("a domain without a name")
	}
	return nil
}

// Len returns how many domains are in the file.
func (p *Progress) Len() int {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.done)
}

// find returns the domain, nil if it is not in the file.
func (p *Progress) find(name string) *Domain {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done[name]
}

// save adds a domain, unless it has gaps.
func (p *Progress) save(d *Domain) error {
	if p == nil || !d.Complete() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(d)
	p.done[d.Name] = d
	return p.err
}

// write writes one line.
func (p *Progress) write(v any) {
	line, err := json.Marshal(v)
	if err == nil && p.err == nil {
		_, err = p.file.Write(append(line, '\n'))
	}
	if p.err == nil {
		p.err = err
	}
}

// End closes the file, and removes it if the lookup is complete.
func (p *Progress) End(complete bool) error {
	if p == nil {
		return nil
	}
	err := errors.Join(p.err, p.file.Close())
	if err == nil && complete {
		err = os.Remove(p.file.Name())
	}
	return err
}
