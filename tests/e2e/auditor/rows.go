package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// foreseen is one act of a row. `exactly`: on all of its channels, else on some of them.
type foreseen struct {
	act      string
	channels []string
	exactly  bool
	term     term
}

func onMessage(act string) bool { return act == "remove" || act == "mark" }

// objection is why a statement is not what the ladders foresee, if anything; and whether it could be held against them.
// A rule takes just the row's measures, a person these or milder ones.
func (one *version) objection(entry *entry) (string, bool) {
	if entry.Live == nil || entry.Ground != "agreement" {
		return "", false
	}
	asked, isConduct := map[string]bool{}, true
	for _, id := range entry.Clauses {
		clause := one.clauses[id]
		if clause == nil {
			return "", false
		}
		isConduct = isConduct && clause.isConduct
		for _, ladder := range one.laddersOf(clause) {
			asked[ladder] = true
		}
	}
	var rows [][]row
	for _, ladder := range one.order {
		points, counts := entry.Live[ladder]
		if counts != asked[ladder] {
			return "it counts on other ladders than its clauses do", true
		}
		if counts {
			rows = append(rows, at(one.ladders[ladder], points))
			if entry.By == "rule" {
				rows[len(rows)-1] = forRule(one.ladders[ladder], rows[len(rows)-1])
			}
		}
	}
	if len(rows) != len(entry.Live) {
		return "it counts on other ladders than its clauses do", true
	}
	if entry.By == "rule" {
		return byRule(entry, rows, isConduct), true
	}
	return byPerson(entry, merged(rows, isConduct)), true
}

func (one *version) laddersOf(clause *clause) (found []string) {
	own, counts := "", clause.counts
	for at := len(clause.around) - 1; at >= 0; at-- { // the innermost wins
		if id := clause.around[at]; one.ladders[id] != nil && id != "measures" {
			own = id
		}
	}
	if counts == "" {
		counts = map[bool]string{true: "main", false: "own"}[own == ""]
	}
	if counts != "main" {
		found = append(found, own)
	}
	if counts != "own" {
		found = append(found, "measures")
	}
	return found
}

// at are the rows of the highest number not above the points.
func at(ladder []row, points int64) (found []row) {
	best := int64(-1)
	for _, each := range ladder {
		if each.points <= points && each.points > best {
			best = each.points
		}
	}
	for _, each := range ladder {
		if each.points == best {
			found = append(found, each)
		}
	}
	return found
}

// forRule stops below a row that terminates; if every row does, it only treats the message.
func forRule(ladder, whole []row) []row {
	rows := whole
	for len(rows) > 0 && terminates(rows) {
		rows = at(ladder, rows[0].points-1)
	}
	if len(rows) > 0 {
		return rows
	}
	return treatment(whole)
}

func terminates(rows []row) bool {
	for _, each := range rows {
		for _, act := range each.acts {
			if act == "terminate" {
				return true
			}
		}
	}
	return false
}

// treatment is what the rows do to the message itself.
func treatment(rows []row) (only []row) {
	for _, each := range rows {
		var acts []string
		for _, act := range each.acts {
			if onMessage(act) {
				acts = append(acts, act)
			}
		}
		only = append(only, row{points: each.points, acts: acts, term: each.term})
	}
	return only
}

// byRule: a ladder on which nothing was added to a step that is not over treats the message alone; which, is private.
func byRule(entry *entry, rows [][]row, isConduct bool) string {
	for alone := 0; alone < 1<<len(rows) && len(rows) <= 6; alone++ {
		if entry.Points > 0 && alone > 0 && alone == 1<<len(rows)-1 {
			continue
		}
		way := make([][]row, len(rows))
		for n := range rows {
			if way[n] = rows[n]; alone>>n&1 == 1 {
				way[n] = treatment(rows[n])
			}
		}
		if fits(entry, merged(way, isConduct)) {
			return ""
		}
	}
	if len(rows) > 6 && fits(entry, merged(rows, isConduct)) {
		return ""
	}
	return fmt.Sprintf("a rule took what is not the ladder's row: %s", drawn(merged(rows, isConduct)))
}

func byPerson(entry *entry, row []foreseen) string {
	isOnAccount := false
	var most []measure
	for _, each := range row {
		isOnAccount = isOnAccount || !onMessage(each.act)
		measure := measure{Act: each.act, Chan: each.channels, Met: each.term.met}
		if len(each.term.most) > 0 {
			_, latest := ends(each.term.most, entry.At)
			measure.Until = &latest
		}
		most = append(most, measure)
	}
	for _, each := range entry.measures() {
		isMilder := milderThanAny(each, most)
		if len(each.Chan) > 0 { // one row may reach one channel, and another the next
			isMilder = true
			for _, channel := range each.Chan {
				part := each
				part.Chan = []string{channel}
				isMilder = isMilder && milderThanAny(part, most)
			}
		}
		if !isMilder || each.Act == "warn" && !isOnAccount {
			return fmt.Sprintf("a person took %s, which is harsher than the ladder's row: %s", each.Act, drawn(row))
		}
	}
	return ""
}

// merged are the measures of several ladders: the strictest of each. Conduct is never removed or marked.
func merged(ladders [][]row, isConduct bool) (whole []foreseen) {
	asked, known, acts := 0, map[string]bool{}, map[string]bool{}
	var all []foreseen
	for _, rows := range ladders {
		asksFor := 0
		for _, row := range rows {
			for _, act := range row.acts {
				asksFor++
				one := expected(row, act)
				if key := fmt.Sprintf("%+v", one); !known[key] {
					known[key] = true
					all = append(all, one)
				}
				acts[act] = true
			}
		}
		if asksFor > 0 {
			asked++
		}
	}
	restricts := false
	for act := range acts {
		restricts = restricts || !onMessage(act) && act != "warn"
	}
	for _, each := range all {
		falls := isConduct && onMessage(each.act)
		falls = falls || asked > 1 && (each.act == "warn" && restricts || each.act == "mark" && acts["remove"])
		if !falls {
			whole = append(whole, each)
		}
	}
	return whole
}

func expected(row row, act string) foreseen {
	if onMessage(act) || act == "warn" {
		return foreseen{act: act, exactly: true}
	}
	return foreseen{act: act, channels: row.channels, exactly: !row.same, term: row.term}
}

// fits: each measure is one of the row's, and each of the row's was taken.
func fits(entry *entry, row []foreseen) bool {
	measures := entry.measures()
	known, taken := map[int]bool{}, map[int]bool{}
	for n, measure := range measures {
		for m, one := range row {
			if is(measure, one, entry.At) {
				known[n], taken[m] = true, true
			}
		}
	}
	return len(measures) == len(row) && len(known) == len(row) && len(taken) == len(row)
}

func is(measure measure, one foreseen, at time.Time) bool {
	if measure.Act != one.act || !contains(one.channels, measure.Chan) || !equal(measure.Met, one.term.met) {
		return false
	}
	if one.exactly && !contains(measure.Chan, one.channels) {
		return false
	}
	if len(one.term.least) == 0 || measure.Until == nil {
		return len(one.term.least) == 0 && measure.Until == nil
	}
	earliest, latest := ends(one.term.least, at)
	return !measure.Until.Before(earliest) && !measure.Until.After(latest)
}

var lastHour = time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC)

// ends: `hour` is that of the decision, which fell somewhere in it; ends are rounded up to the hour.
func ends(lengths []length, hour time.Time) (earliest, latest time.Time) {
	for _, each := range lengths {
		first, last := rounded(after(hour, each)), rounded(after(hour.Add(time.Hour-time.Microsecond), each))
		if first.After(earliest) {
			earliest = first
		}
		if last.After(latest) {
			latest = last
		}
	}
	return earliest, latest
}

func rounded(end time.Time) time.Time {
	hour := end.Truncate(time.Hour)
	if !hour.Equal(end) {
		hour = hour.Add(time.Hour)
	}
	if hour.After(lastHour) {
		return lastHour
	}
	return hour
}

// after: months and years go by the calendar, the day cut to the month's last.
func after(start time.Time, by length) time.Time {
	seconds := map[string]int{"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}[by.unit]
	if seconds > 0 {
		return start.Add(time.Duration(by.count*seconds) * time.Second)
	}
	months := by.count
	if by.unit == "year" {
		months *= 12
	}
	first := time.Date(start.Year(), start.Month()+time.Month(months), 1, start.Hour(), start.Minute(), start.Second(), start.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	if day := start.Day(); day < last {
		last = day
	}
	return first.AddDate(0, 0, last-1)
}

func milderThanAny(new measure, old []measure) bool {
	for _, each := range old {
		if milder(new, each) {
			return true
		}
	}
	return false
}

// milder: nowhere more, by act, channels and end.
func milder(new, old measure) bool {
	if new.Act == "warn" {
		return true
	}
	if onMessage(new.Act) != onMessage(old.Act) || graver(new.Act, old.Act) || !contains(old.Chan, new.Chan) {
		return false
	}
	switch {
	case len(old.Met) > 0 && len(new.Met) > 0:
		return contains(old.Met, new.Met)
	case len(old.Met) > 0:
		return new.Until != nil
	}
	return old.Until == nil || new.Until != nil && !new.Until.After(*old.Until)
}

func graver(new, old string) bool {
	first, of := gravity(new)
	second, than := gravity(old)
	return first > second || first == second && of > than
}

// gravity: of two limits the one is graver that lets less through.
func gravity(act string) (int, float64) {
	if words := strings.Fields(act); len(words) == 5 {
		count, _ := strconv.Atoi(words[2])
		seconds := map[string]float64{"minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}[words[4]]
		return 4, -float64(count) / seconds
	}
	for n, each := range []string{"mark", "warn", "remove", "limit reach", "limit", "hold", "suspend", "terminate"} {
		if each == act {
			return n, 0
		}
	}
	return 99, 0
}

func contains(all, some []string) bool {
	for _, one := range some {
		if !within(" "+strings.Join(all, " ")+" ", one) {
			return false
		}
	}
	return true
}

func equal(one, other []string) bool { return strings.Join(one, " ") == strings.Join(other, " ") }

func drawn(row []foreseen) string {
	var acts []string
	for _, each := range row {
		acts = append(acts, strings.TrimSpace(each.act+" on "+strings.Join(each.channels, ", ")))
	}
	if len(acts) == 0 {
		return "nothing"
	}
	return strings.ReplaceAll(strings.Join(acts, "; ")+" ", " on ;", ";")
}
