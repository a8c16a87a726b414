package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"gopkg.in/yaml.v3"
)

// version is what one version's text says of measures: which clauses lead to which ladders, and their rows.
type version struct {
	Channels     []string
	ReviewWithin string `yaml:"review_within"`
	clauses      map[string]*clause
	ladders      map[string][]row // in the order of their sections
	order        []string         // of the ladders
}

type clause struct {
	around    []string // the sections that hold it, itself first
	counts    string
	isConduct bool
}

// row is one line of a ladder. `channels` is nil where the acts need none; `same`: only those of the messages.
type row struct {
	points   int64
	acts     []string
	channels []string
	same     bool
	term     term
}

// term is the last column. `least` and `most`: the measure ends when each of its lengths is over, by a rule or at most.
type term struct {
	least, most []length
	met         []string
}

type length struct {
	count int
	unit  string
}

// version reads `agreement/HEX`; nil if it is not there. Its bytes must have the digest.
func (log folder) version(digest string) *version {
	path := "agreement/" + strings.TrimPrefix(digest, "sha256:")
	content := log.read(path)
	if content == nil {
		return nil
	}
	found := sha256.Sum256(content)
	if "sha256:"+hex.EncodeToString(found[:]) != digest {
		refuse(path, "its SHA-256 is not the version's digest: the text was changed")
	}
	one, why := readVersion(mainText(content))
	if why != "" {
		refuse(path, "%s", why)
	}
	return one
}

var header = regexp.MustCompile(`\A\x00([0-9]+)\x00`)

// mainText is the agreement itself, which stands first: after no path, a zero byte, its length and a zero byte.
func mainText(content []byte) string {
	found := header.FindSubmatch(content)
	if found == nil {
		return ""
	}
	has, err := strconv.Atoi(string(found[1]))
	if err != nil || has > len(content)-len(found[0]) {
		return ""
	}
	return string(content[len(found[0]) : len(found[0])+has])
}

var front = regexp.MustCompile(`(?s)\A---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\z)`)

func readVersion(whole string) (*version, string) {
	one := &version{clauses: map[string]*clause{}, ladders: map[string][]row{}}
	split := front.FindStringSubmatchIndex(whole)
	if split == nil {
		return nil, "it has no front matter"
	}
	if err := yaml.Unmarshal([]byte(whole[split[2]:split[3]]), one); err != nil {
		return nil, err.Error()
	}
	if one.ReviewWithin == "" {
		one.ReviewWithin = "14 days"
	}
	return one, one.walk([]byte(whole[split[1]:]))
}

type section struct {
	level int
	id    string
}

var headingID = regexp.MustCompile(`\{#([^{}]*)\}$`)

// walk takes the blocks of the text in their order: what stands under a heading with an id belongs to that section.
func (one *version) walk(source []byte) string {
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table))
	var open []section
	for block := markdown.Parser().Parse(text.NewReader(source)).FirstChild(); block != nil; block = block.NextSibling() {
		switch block := block.(type) {
		case *ast.Heading:
			for len(open) > 0 && open[len(open)-1].level >= block.Level {
				open = open[:len(open)-1]
			}
			if found := headingID.FindStringSubmatch(lastLine(block, source)); found != nil {
				open = append(open, section{block.Level, found[1]})
				if found[1] != "measures" {
					one.clauses[found[1]] = &clause{around: around(open)}
				}
			}
		case *ast.FencedCodeBlock:
			if owner := around(open); len(owner) > 0 && one.clauses[owner[0]] != nil {
				one.clauses[owner[0]].take(block, source)
			}
		case *tables.Table:
			if why := one.table(block, source, around(open)); why != "" {
				return why
			}
		}
	}
	return ""
}

// around are the ids of the open sections, the innermost first.
func around(open []section) (ids []string) {
	for at := len(open) - 1; at >= 0; at-- {
		ids = append(ids, open[at].id)
	}
	return ids
}

func lastLine(block ast.Node, source []byte) string {
	lines := block.Lines()
	if lines.Len() == 0 {
		return ""
	}
	last := lines.At(lines.Len() - 1)
	return strings.TrimSpace(strings.TrimRight(strings.TrimSpace(string(last.Value(source))), "#"))
}

var (
	counts     = regexp.MustCompile(`(?:^|\s)counts=["']?(own|main|both)["']?(?:\s|$)`)
	literal    = regexp.MustCompile(`(?s)"""(?:\\.|[^\\])*?"""|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|//[^\n]*`)
	called     = regexp.MustCompile(`[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*`)
	ofMessage  = " text unquoted subject language links domains mentions hashtags to hashes attachments reach is_reply edit_of meta authors "
	ofLikeness = " author.copies author.same "
	ofConduct  = " author.messages author.recipients author.total author.breaches author.notices "
)

// take reads a rule's fence: where its points count, and whether it is about conduct, which reads no message.
func (one *clause) take(fence *ast.FencedCodeBlock, source []byte) {
	if fence.Info == nil || string(fence.Language(source)) != "rule" {
		return
	}
	if found := counts.FindStringSubmatch(string(fence.Info.Segment.Value(source))); found != nil {
		one.counts = found[1]
	}
	var rule bytes.Buffer
	for at := 0; at < fence.Lines().Len(); at++ {
		line := fence.Lines().At(at)
		rule.Write(line.Value(source))
	}
	readsMessage := false
	for _, name := range called.FindAllString(literal.ReplaceAllString(rule.String(), " "), -1) {
		parts := strings.Split(strings.Join(strings.Fields(name), ""), ".")
		full := strings.Join(parts[:1], ".")
		if len(parts) > 1 {
			full = parts[0] + "." + parts[1]
		}
		readsMessage = readsMessage || within(ofMessage, parts[0]) || within(ofLikeness, full)
		one.isConduct = one.isConduct || within(ofConduct, full)
	}
	one.isConduct = one.isConduct && !readsMessage
}

func within(names, name string) bool { return strings.Contains(names, " "+name+" ") }

// table reads a ladder; other tables are prose.
func (one *version) table(table *tables.Table, source []byte, owners []string) string {
	var rows [][]string
	for line := table.FirstChild(); line != nil; line = line.NextSibling() {
		var cells []string
		for cell := line.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, lastLine(cell, source))
		}
		rows = append(rows, cells)
	}
	if strings.Join(rows[0], "|") != "points|measure|channels|for" {
		return ""
	}
	if len(owners) == 0 || one.ladders[owners[0]] != nil {
		return "a ladder that belongs to no section, or a second one of a section"
	}
	one.order = append(one.order, owners[0])
	for _, cells := range rows[1:] {
		read, isRow := one.row(cells)
		if !isRow {
			return "a ladder's row that cannot be read: " + strings.Join(cells, " | ")
		}
		one.ladders[owners[0]] = append(one.ladders[owners[0]], read)
	}
	return ""
}

func (one *version) row(cells []string) (read row, isRow bool) {
	points, err := strconv.ParseInt(cells[0], 10, 32)
	if err != nil {
		return read, false
	}
	read.points = points
	for _, act := range strings.Split(cells[1], ",") {
		words := strings.Fields(act)
		if len(words) == 5 && words[0] == "limit" && words[1] == "to" { // `limit to N a UNIT`
			words[2] = strings.TrimLeft(words[2], "0")
			words[3] = map[bool]string{true: "an", false: "a"}[words[4] == "hour"]
		}
		read.acts = append(read.acts, strings.Join(words, " "))
	}
	read.same = cells[2] == "same"
	if cells[2] == "same" || cells[2] == "all" {
		read.channels = sorted(one.Channels)
	} else if cells[2] != "" {
		for _, name := range strings.Split(cells[2], ",") {
			read.channels = append(read.channels, strings.TrimSpace(name))
		}
		read.channels = sorted(read.channels)
	}
	read.term, isRow = one.term(strings.Join(strings.Fields(cells[3]), " "))
	return read, isRow
}

var (
	delayed = regexp.MustCompile(`^after ([^:]*?)\s*(?::\s*(.*))?$`)
	until   = regexp.MustCompile(`^until (.*?)(?:\s*,\s*at least (.*))?$`)
	ranged  = regexp.MustCompile(`^([0-9]+)(?: ([a-z]+?)s?)? to ([0-9]+) ([a-z]+?)s?$`)
	plain   = regexp.MustCompile(`^([0-9]+) (second|minute|hour|day|week|month|year)s?$`)
)

// term: of a measure that starts later the end is not public, but what it waits for is.
func (one *version) term(written string) (read term, isTerm bool) {
	if after := delayed.FindStringSubmatch(written); after != nil {
		read, isTerm = one.term(after[2])
		return term{met: read.met}, isTerm
	}
	if written == "" {
		return read, true
	}
	if found := until.FindStringSubmatch(written); found != nil {
		read.met = regexp.MustCompile(`\s+and\s+`).Split(found[1], -1)
		if len(read.met) == 1 && read.met[0] == "reviewed" { // at most as long as a review may take
			for _, each := range []string{one.ReviewWithin, found[2]} {
				if each != "" {
					read.least = append(read.least, lengths(each)...)
				}
			}
		}
		return read, true
	}
	if found := ranged.FindStringSubmatch(written); found != nil {
		if found[2] == "" {
			found[2] = found[4]
		}
		read.least = lengths(found[1] + " " + found[2])
		read.most = lengths(found[3] + " " + found[4])
		return read, len(read.least) == 1 && len(read.most) == 1
	}
	read.least, read.most = lengths(written), lengths(written)
	return read, len(read.least) == 1
}

func lengths(written string) []length {
	found := plain.FindStringSubmatch(written)
	if found == nil {
		return nil
	}
	count, err := strconv.Atoi(found[1])
	if err != nil {
		return nil
	}
	return []length{{count: count, unit: found[2]}}
}
