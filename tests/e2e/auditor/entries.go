package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const mostListed = 100

// fields are the keys that an entry of each type has, all of them; those in parentheses may be missing.
var fields = map[string]string{
	"genesis":     "(after) at id key mode operator origin profile retention t v",
	"agreement":   "agreement at effective id prev t v",
	"acceptances": "agreement at count id root t v",
	"statement":   "act agreement also at auto by c chan clauses ground id (live) met points prev t until v",
	"correction":  "act agreement also at by c chan clauses id met points prev t until v",
	"lift":        "at by c id prev t v",
	"appeal":      "at c id prev t v",
	"outcome":     "at c id outcome prev t v",
	"erasure":     "at id prev t v",
	"key":         "at id key t v",
	"census":      "at count id root t v",
	"sealed":      "at c id t v",
}

type measure struct {
	Act       string
	Chan, Met []string
	Until     *time.Time
}

// entry is any entry; a type that lacks a field leaves it empty.
type entry struct {
	T, ID, Agreement, By, Ground, Profile, Mode, Origin, Key, Root string
	At, Effective                                                  time.Time
	Prev, Act                                                      *string
	Until                                                          *time.Time
	Chan, Met, Clauses                                             []string
	Also                                                           []measure
	Points, Count                                                  int64
	Auto                                                           struct{ Found, Decided int }
	Live                                                           map[string]int64
	C                                                              json.RawMessage
}

func (entry *entry) measures() []measure {
	if entry.Act == nil {
		return nil
	}
	return append([]measure{{Act: *entry.Act, Chan: entry.Chan, Met: entry.Met, Until: entry.Until}}, entry.Also...)
}

// owner is what is remembered of an id: which entry has it, and what a statement or an appeal came to since.
type owner struct {
	index           uint64
	t               string
	measures        []measure
	unsettled       *[]measure // what they were before a delivery settled their times
	decided, erased bool
}

// record is what was read so far, entry after entry.
type record struct {
	log                              folder
	objections, lookedUp, statements int
	genesis, newest                  *entry
	keys, days                       map[string]bool
	owners                           map[string]*owner
	effective                        map[string]time.Time // of the versions published so far
	versions                         map[string]*version
}

func newRecord(log folder) *record {
	return &record{
		log: log, keys: map[string]bool{}, days: map[string]bool{}, owners: map[string]*owner{},
		effective: map[string]time.Time{}, versions: map[string]*version{},
	}
}

func (record *record) object(place, format string, args ...interface{}) {
	if record.objections++; record.objections <= mostListed {
		fmt.Printf("%s: %s\n", place, fmt.Sprintf(format, args...))
	}
}

// end checks what only the whole log shows.
func (record *record) end(head checkpoint, vkey string) {
	if head.size == 0 {
		record.object("checkpoint", "it signs an empty log, without even a genesis")
	} else if record.genesis != nil && record.genesis.Origin != head.origin {
		record.object("tile/entries", "the genesis is of the log %s, the checkpoint of %s", record.genesis.Origin, head.origin)
	} else if !record.keys[vkey] {
		record.object("VKEY", "neither the genesis nor a later entry names this key")
	}
}

// take checks an entry against those before it.
func (record *record) take(path string, index uint64, content []byte) {
	one := &entry{}
	place := fmt.Sprintf("%s, entry %d", path, index)
	if err := parse(content, one); err != nil {
		record.object(place, "%v", err)
		return
	}
	for _, wrong := range append(record.ids(index, one), record.look(one)...) {
		record.object(place, "%s", wrong)
	}
}

// parse reads an entry of which `content` is the one canonical form, RFC 8785.
func parse(content []byte, one *entry) error {
	var members map[string]interface{}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		return err
	}
	var again bytes.Buffer
	encoder := json.NewEncoder(&again)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(members); err != nil {
		return err
	}
	form := strings.NewReplacer("\\u2028", "\u2028", "\\u2029", "\u2029").Replace(again.String())
	if form != string(content)+"\n" {
		return fmt.Errorf("not in canonical form")
	}
	if err := json.Unmarshal(content, one); err != nil {
		return err
	}
	if id, err := hex.DecodeString(one.ID); err != nil || len(id) != 16 {
		return fmt.Errorf("its id is not 32 hexadecimal digits")
	}
	for _, at := range one.times() {
		if at != at.UTC().Truncate(time.Hour) {
			return fmt.Errorf("it tells more than the hour: %s", at)
		}
	}
	return exact(members, one.T)
}

func (entry *entry) times() []time.Time {
	times := []time.Time{entry.At, entry.Effective}
	for _, each := range entry.measures() {
		if each.Until != nil {
			times = append(times, *each.Until)
		}
	}
	return times
}

func exact(members map[string]interface{}, t string) error {
	known, is := fields[t]
	if !is || fmt.Sprint(members["v"]) != "1" {
		return fmt.Errorf("no entry of version 1 is of the type %q", t)
	}
	for _, name := range strings.Fields(known) {
		_, has := members[strings.Trim(name, "()")]
		if !has && name[0] != '(' {
			return fmt.Errorf("it has no %s", name)
		}
		delete(members, strings.Trim(name, "()"))
	}
	for name := range members {
		return fmt.Errorf("it has %q, which an entry %s has not", name, t)
	}
	return nil
}

// ids checks that each id has one owner, and that what is cited stands before.
func (record *record) ids(index uint64, one *entry) (wrong []string) {
	if first, is := record.owners[one.ID]; is {
		return []string{fmt.Sprintf("its id is %s, which entry %d already has", one.ID, first.index)}
	}
	if one.Prev != nil && one.T != "agreement" {
		wrong = record.cites(one, record.owners[*one.Prev])
	}
	record.owners[one.ID] = &owner{index: index, t: one.T, measures: one.measures()}
	if (index == 0) != (one.T == "genesis") {
		wrong = append(wrong, "a genesis stands first, and only there")
	}
	return wrong
}

func (record *record) cites(one *entry, cited *owner) (wrong []string) {
	wanted := "statement"
	if one.T == "outcome" {
		wanted = "appeal"
	}
	if cited == nil || cited.t != wanted && !(wanted == "statement" && cited.t == "sealed") {
		return []string{fmt.Sprintf("it cites %s, which no earlier entry %s is", *one.Prev, wanted)}
	}
	switch one.T {
	case "statement":
		wrong = append(wrong, "a statement cites nothing")
	case "correction":
		for _, after := range one.measures() {
			if !milderThanAny(after, cited.measures) {
				wrong = append(wrong, "a correction to something harsher: "+after.Act)
			}
		}
		before := cited.measures
		cited.measures = one.measures()
		if bytes.Contains(one.C, []byte(`"delivery":`)) {
			cited.unsettled = &before
		} else if !reflect.DeepEqual(before, cited.measures) {
			cited.unsettled = nil
		}
	case "appeal":
		if cited.unsettled != nil {
			cited.measures = *cited.unsettled
		}
	case "outcome":
		if cited.decided {
			wrong = append(wrong, "a second outcome of one appeal")
		}
		cited.decided = true
	case "erasure":
		if cited.erased {
			wrong = append(wrong, "it was erased before")
		}
		cited.erased = true
	}
	return wrong
}

// look checks what an entry says by itself and of the versions published so far.
func (record *record) look(one *entry) []string {
	wrong := record.profile(one)
	if _, is := record.effective[one.Agreement]; !is && one.Agreement != "" && one.T != "agreement" {
		wrong = append(wrong, "it names version "+one.Agreement+", which no earlier entry published")
	}
	switch one.T {
	case "genesis":
		record.genesis = one
		return append(wrong, record.key(one)...)
	case "key":
		return append(wrong, record.key(one)...)
	case "agreement":
		return append(wrong, record.publish(one)...)
	case "statement":
		return append(wrong, record.state(one)...)
	case "correction":
		return append(wrong, terminated(one)...)
	case "census":
		return append(wrong, record.census(one)...)
	}
	return wrong
}

func (record *record) profile(one *entry) []string {
	if record.genesis == nil || record.genesis.Profile != "sealed" {
		if one.T == "sealed" {
			return []string{"a sealed entry, in a log of the open profile: what was done is hidden"}
		}
		return nil
	}
	if one.At.Hour() != 0 || !strings.Contains(" sealed genesis agreement key erasure ", " "+one.T+" ") {
		return []string{"it tells what the sealed profile keeps private"}
	}
	return nil
}

func (record *record) key(one *entry) []string {
	if _, err := note.NewVerifier(one.Key); err != nil {
		return []string{fmt.Sprintf("its key is none: %v", err)}
	}
	record.keys[one.Key] = true
	return nil
}

func (record *record) isReplay() bool {
	return record.genesis != nil && record.genesis.Mode == "replay"
}

func (record *record) publish(one *entry) (wrong []string) {
	before := record.newest
	if (one.Prev == nil) != (before == nil) || before != nil && *one.Prev != before.ID {
		wrong = append(wrong, "a version that does not follow the one before it")
	}
	if _, is := record.effective[one.Agreement]; is {
		return append(wrong, "this version was published before")
	}
	if before != nil && (one.Effective.Before(before.Effective) || !record.isReplay() && one.Effective.Before(one.At)) {
		wrong = append(wrong, "in force before it was published, or before the version before it")
	}
	record.newest, record.effective[one.Agreement] = one, one.Effective
	return wrong
}

func (record *record) state(one *entry) []string {
	record.statements++
	wrong := terminated(one)
	if from, is := record.effective[one.Agreement]; is && from.After(one.At) && !record.isReplay() {
		wrong = append(wrong, "a statement under a version that was not yet in force")
	}
	if (one.Auto.Decided == 1) != (one.By == "rule") {
		wrong = append(wrong, "it says both that a rule decided and that a person did")
	}
	for _, each := range one.measures() {
		if each.Until != nil && each.Until.Before(one.At) {
			wrong = append(wrong, each.Act+" was over when it was decided")
		}
	}
	text, is := record.versions[one.Agreement]
	if !is {
		text = record.log.version(one.Agreement)
		record.versions[one.Agreement] = text
	}
	if text == nil {
		return wrong
	}
	why, isHeld := text.objection(one)
	if isHeld {
		record.lookedUp++
	}
	if why != "" {
		wrong = append(wrong, why)
	}
	return wrong
}

func terminated(one *entry) []string {
	for _, each := range one.measures() {
		if each.Act == "terminate" && one.By == "rule" {
			return []string{"a rule terminated an account, which only a person may"}
		}
	}
	return nil
}

func (record *record) census(one *entry) (wrong []string) {
	day := one.At.Format("2006-01-02")
	if record.days[day] {
		wrong = append(wrong, "a second census of "+day)
	}
	empty := (&tree{}).root()
	if (one.Count == 0) != (one.Root == hex.EncodeToString(empty[:])) {
		wrong = append(wrong, "the root of none for some measures, or of some for none")
	}
	record.days[day] = true
	return wrong
}

func sorted(names []string) []string {
	names = append([]string{}, names...)
	sort.Strings(names)
	return names
}
