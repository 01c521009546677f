package container

import (
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/config/command"
)

// An image is what a Dockerfile makes, as far as it says which daemon starts.
type image struct {
	name   string // of the stage
	entry  process
	cmd    process
	env    *command.Environment // of ENV
	args   *command.Environment // of ARG and ENV: what the Dockerfile replaces
	dir    string               // of WORKDIR, "" if no one sets it
	copies []copied
}

// A process is a command of an image: the words of the exec form, or a script.
type process struct {
	set       bool
	inherited bool // from the image on which this one is based
	words     []command.Text
	script    *command.Text
}

// again returns the process as one of an image that is based on this one.
func (p process) again() process {
	p.inherited = true
	return p
}

// A copied is what COPY or ADD copies: files of the context of the build.
type copied struct{ source, target string }

// maxStages is how many stages a Dockerfile has.
const maxStages = 200

// A build runs through the instructions of a Dockerfile.
type build struct {
	given   map[string]command.Text // arguments of the build
	globals *command.Environment    // ARG before the first FROM
	stages  []*image
	cut     bool // there are too many stages
	tried   int  // how many sources of other stages were looked at
}

// imageOf returns the image of a target, of the last stage for ""; nil if there is none.
func imageOf(list []instruction, given map[string]command.Text, target string) (img *image, cut bool) {
	b := &build{given: given, globals: &command.Environment{}}
	for _, i := range list {
		if i.name == "FROM" && len(b.stages) >= maxStages {
			b.cut = true
			break
		}
		b.run(i)
	}
	if target != "" {
		return b.stage(target, len(b.stages)), b.cut
	}
	if len(b.stages) == 0 {
		return nil, b.cut
	}
	return b.stages[len(b.stages)-1], b.cut
}

// stage returns a stage before another one by its name, of which case does not matter, or by
// its number; nil for another image.
func (b *build) stage(name string, before int) *image {
	for n := before - 1; n >= 0; n-- {
		if strings.EqualFold(b.stages[n].name, name) && name != "" {
			return b.stages[n]
		}
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < before {
		return b.stages[n]
	}
	return nil
}

// run runs one instruction.
func (b *build) run(i instruction) {
	if i.name == "FROM" {
		b.from(i.words(b.globals))
		return
	}
	if len(b.stages) == 0 {
		if i.name == "ARG" {
			b.arguments(i.words(b.globals), func(name string, v command.Text) { b.globals.Set(name, v) })
		}
		return
	}
	img := b.stages[len(b.stages)-1]
	switch i.name {
	case "ARG":
		b.arguments(i.words(img.args), func(name string, v command.Text) {
			if _, set := img.env.Value(name); !set { // ENV wins
				img.args.Set(name, v)
			}
		})
	case "ENV":
		img.setEnv(i)
	case "CMD":
		img.cmd = i.process()
	case "ENTRYPOINT":
		img.entry = i.process()
		if img.cmd.inherited {
			img.cmd = process{} // of the image before (Dockerfile reference, "ENTRYPOINT")
		}
	case "COPY", "ADD":
		b.copy(img, i)
	case "WORKDIR":
		for _, w := range i.words(img.args) {
			img.dir = img.in(w.String())
		}
	}
}

// from begins a stage: "IMAGE [AS NAME]".
func (b *build) from(words []command.Text) {
	img := &image{env: &command.Environment{}, args: &command.Environment{}}
	if len(words) > 0 {
		if base := b.stage(words[0].String(), len(b.stages)); base != nil {
			img.entry, img.cmd, img.copies = base.entry.again(), base.cmd.again(), base.copies[:len(base.copies):len(base.copies)]
			img.env, img.args = base.env.Clone(), base.args.Clone()
			img.dir = base.dir
		}
	}
	if len(words) > 2 && strings.EqualFold(words[1].String(), "AS") {
		img.name = words[2].String()
	}
	b.stages = append(b.stages, img)
}

// arguments sets what ARG declares: the value of the build, else the default, else that of an
// ARG before the first FROM.
func (b *build) arguments(words []command.Text, set func(string, command.Text)) {
	for _, w := range words {
		name, value, has := w.Cut("=")
		if given, ok := b.given[name.String()]; ok {
			value, has = given, true
		}
		if global, ok := b.globals.Value(name.String()); ok && !has {
			value, has = global, true
		}
		if has {
			set(name.String(), value)
		}
	}
}

// setEnv sets what ENV says: "NAME=VALUE ...", or "NAME VALUE".
func (img *image) setEnv(i instruction) {
	words := i.words(img.args)
	if len(words) == 0 {
		return
	}
	if !strings.Contains(words[0].String(), "=") {
		words = []command.Text{command.Concat(words[0], command.Literal("="), command.Join(words[1:]))}
	}
	for _, w := range words {
		img.env.SetPair(w)
		img.args.SetPair(w)
	}
}

// process returns the process of CMD or ENTRYPOINT.
func (i instruction) process() process {
	if words, ok := i.list(); ok {
		return process{set: true, words: words}
	}
	text := i.text
	return process{set: true, script: &text}
}
