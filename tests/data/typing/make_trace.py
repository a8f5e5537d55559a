#!/usr/bin/env python3
"""Makes trace.jsonl: a person types parts of three source files of this repository, and an editor asks for completions.

usage: make_trace.py ROOT > trace.jsonl        (the same files and the same seed make the same trace)

One JSON object a line:
  {"open": PATH, "text": TEXT}        an editor window on a file; the cursor is at its end
  {"move": N}                         the cursor, in bytes from the beginning
  {"type": TEXT} {"delete": N}        at the cursor; before the cursor
  {"ask": CLIENT, "answer": TEXT, "cut": BOOL}
                                      a completion is asked for now, and what a model that sees exactly this text would
                                      answer; cut: max_tokens ended it
  {"accept": TEXT}                    the suggestion that is shown is taken
  {"pause_ms": N}

The model knows the file as it will be, guesses some lines wrong, and goes on with the right ones when it sees that it
did. It answers to the end of a block: at the latest after the line whose number divides by four. So what it answers
after some of its own text is always the rest of what it answered before, as with any model that draws no lots.
Clients: "whole" sends all of the file around the cursor; "window" the last 1,024 bytes from a line's beginning, and 512
behind; "bytes" the last 2,000 bytes wherever they begin.
"""
import json
import random
import sys
import zlib

FILES = [("daemon/limits/limiter.cpp", 40, 52), ("daemon/stream/sse_scanner.cpp", 30, 48), ("shared/ids.cpp", 12, 40)]
LONGEST_ANSWER = 160  # bytes: max_tokens
WRONG_LINES = 0.30
ASKED = 0.85  # the rest is typed faster than an editor asks


def say(**what):
    print(json.dumps(what, ensure_ascii=False))


class Typist:
    def __init__(self, path, lines, first, last, rng):
        self.lines, self.first, self.last, self.rng = lines, first, last, rng
        self.before = "".join(lines[:first])
        self.after = "".join(lines[last:])
        self.client = "whole"
        self.text_before = self.before  # of the cursor
        self.text_after = self.after
        say(open=path, text=self.before + self.after)
        say(move=len((self.before).encode()))

    # --- the model
    def guess(self, number):
        """The line as the model takes it to be, without its end."""
        line = self.lines[number].rstrip("\n")
        lots = random.Random(zlib.crc32(f"{number}:{line}".encode()))
        if len(line.strip()) < 4 or lots.random() >= WRONG_LINES:
            return line
        at = lots.randrange(len(line) - len(line.lstrip()), len(line))
        return line[:at] + lots.choice(["nullptr;", "value);", "result.size()", "i + 1;", "// done"])

    def answer(self, number, typed):
        guess, true = self.guess(number), self.lines[number].rstrip("\n")
        if guess.startswith(typed):
            rest = guess[len(typed):]
        elif true.startswith(typed):
            rest = true[len(typed):]
        else:
            return " /* " + format(zlib.crc32(self.text_before.encode()), "08x") + " */", False
        following = number + 1
        while following % 4 != 1 and following < self.last:
            rest += "\n" + self.guess(following)
            following += 1
        whole = rest.encode()
        if len(whole) <= LONGEST_ANSWER:
            return rest, False
        return whole[:LONGEST_ANSWER].decode(errors="ignore"), True

    # --- the person
    def ask(self, answer, cut):
        say(ask=self.client, answer=answer, cut=cut)

    def type(self, text):
        say(type=text)
        self.text_before += text

    def delete(self, count):
        say(delete=count)
        self.text_before = self.text_before[:-count]

    def type_line(self, number):
        line = self.lines[number].rstrip("\n")
        indent = len(line) - len(line.lstrip())
        self.type(line[:indent])  # the editor's
        typed = line[:indent]
        while typed != line:
            answer, cut = self.answer(number, typed)
            shown = self.rng.random() < ASKED
            if shown:
                self.ask(answer, cut)
            first_line = answer.split("\n")[0]
            if shown and len(first_line) > 6 and typed + first_line == line and self.rng.random() < 0.08:
                say(accept=first_line)
                self.text_before += first_line
                typed = line
                break
            if self.rng.random() < 0.02:
                self.slip(number, typed)
            self.type(line[len(typed)])
            typed = line[: len(typed) + 1]
            say(pause_ms=self.rng.randrange(60, 220))
        if self.rng.random() < ASKED:
            self.ask(*self.answer(number, typed))
        self.type("\n")

    def slip(self, number, typed):
        """A wrong key or two, and back."""
        wrong = ""
        for _ in range(self.rng.randrange(1, 3)):
            key = self.rng.choice("qxzj#")
            wrong += key
            self.type(key)
            self.ask(*self.answer(number, typed + wrong))
        say(pause_ms=400)
        for _ in wrong:
            self.delete(1)
            wrong = wrong[:-1]
            self.ask(*self.answer(number, typed + wrong))

    def jump(self):
        """To an earlier place of the file, a note there, and back."""
        whole = self.text_before + self.text_after
        ends = [i for i, c in enumerate(self.before) if c == "\n"]
        at = self.rng.choice(ends)
        here = len(self.text_before)
        say(move=len(whole[:at].encode()))
        note = self.rng.choice(["  // checked", "  // see above", "  // twice"])
        self.text_before, self.text_after = whole[:at], whole[at:]
        for i, c in enumerate(note):
            if i >= 5:
                self.ask(note[i:], False)
            self.type(c)
        self.before = self.before[:at] + note + self.before[at:]
        whole = self.text_before + self.text_after
        here += len(note)
        say(pause_ms=1500)
        say(move=len(whole[:here].encode()))
        self.text_before, self.text_after = whole[:here], whole[here:]

    def write(self):
        for number in range(self.first, self.last):
            self.client = self.rng.choices(["whole", "window", "bytes"], [5, 4, 2])[0] if number % 5 == 0 else self.client
            if number % 9 == 8:
                self.jump()
            self.type_line(number)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    rng = random.Random(20261122)
    for path, first, last in FILES:
        with open(f"{root}/{path}", encoding="utf-8") as source:
            lines = source.readlines()
        Typist(path, lines, first, min(last, len(lines)), rng).write()


if __name__ == "__main__":
    main()
