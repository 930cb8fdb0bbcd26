# SPDX-License-Identifier: Apache-2.0
"""Every rule of tools/tidy against a snippet it must catch and one it must leave alone."""

HEAD = "// SPDX-License-Identifier: Apache-2.0\n"
# Written apart, so that tidy does not find them here.
LEFT = "TO" "DO"
SKIP = "GTEST_" "SKIP"


def unit(body):
    return HEAD + body


# rule: [({path: text} to catch), ...], [({path: text} to leave alone), ...]
CASES = {
    "floors": (
        [{"src/domain/a.cpp": unit('#include "store/store.hpp"\n'), "src/store/store.hpp": ""},
         {"src/net/a.cpp": unit('#include "domain/roll.hpp"\n'), "src/domain/roll.hpp": ""},
         {"src/x509/a.cpp": unit('#include "path.hpp"\n')},
         {"src/x509/a.cpp": unit('#include "x509/no_such.hpp"\n')},
         {"src/attic/a.cpp": unit("")}],
        [{"src/front/a.cpp": unit('#include "net/tls.hpp"\n#include "service/registrar.hpp"\n'),
          "src/net/tls.hpp": "", "src/service/registrar.hpp": ""},
         {"src/domain/a_test.cpp": unit('#include "support/builders.hpp"\n')}],
    ),
    "pure-domain": (
        [{"src/domain/a.cpp": unit('#include "x509/openssl.hpp"\n'),
          "src/x509/openssl.hpp": "#include <openssl/x509.h>\n"},
         {"src/domain/a.hpp": unit('#include "base/b.hpp"\n'),
          "src/base/b.hpp": '#include "base/task.hpp"\n',
          "src/base/task.hpp": "#include <boost/asio/awaitable.hpp>\n"}],
        [{"src/domain/a.hpp": unit('#include "x509/path.hpp"\n'),
          "src/x509/path.hpp": "#include <vector>\n"},
         {"src/service/a.cpp": unit("#include <boost/asio/post.hpp>\n")}],
    ),
    "openssl-door": (
        [{"src/front/a.cpp": unit("#include <openssl/ssl.h>\n")}],
        [{"src/net/tls.cpp": unit("#include <openssl/ssl.h>\n")}],
    ),
    "await-names": (
        [{"src/service/a.cpp": unit("co_await store.put(Registration{.id = id});\n")},
         {"src/service/a.cpp": unit("const auto r = co_await f(on ? a : b);\n")},
         {"src/service/a.cpp": unit("const auto r = on ? co_await f(a) : g(b);\n")},
         {"src/service/a.cpp": unit("const auto r = on ? g(a) : co_await f(b);\n")},
         {"src/service/a.cpp": unit("co_await on_lane(lane, [text] { return text.size(); });\n")},
         {"src/service/a.cpp": unit("co_await on_lane(lane, [&a, b = std::move(c)] { f(b); });\n")},
         {"src/service/a.cpp": unit("CO_TRY(const auto r,\n       co_await f({.id = id}));\n")},
         {"src/service/a.cpp": unit("if (!co_await f(a)) {\n}\n")}],
        [{"src/service/a.cpp": unit("co_await store.put(record);\n")},
         {"src/service/a.cpp": unit("co_await on_lane(lane, [&] { return Thing{a ? b : c}; });\n")},
         {"src/service/a.cpp": unit("const auto r = co_await f(names[i]) ? a : b;\n".replace(
             "co_await f(names[i]) ? a : b", "co_await f(names[i])"))},
         {"src/service/a.cpp": unit("// co_await f(Thing{});\nlog(\"co_await f(Thing{})\");\n")},
         {"src/service/a.cpp": unit(
             "// tidy: allow(await-names) int only\nco_await f(on ? 1 : 2);\n")}],
    ),
    "dropped-await": (
        [{"src/service/a.hpp": "Task<Result<Done>> commit(const Changes& changes);\n",
          "src/service/a.cpp": unit("void f() {\n    co_await ledger_.commit(changes);\n}\n")},
         {"src/service/a.hpp": "Task<Result<std::map<int, int>>> look(int id);\n",
          "src/service/a.cpp": unit("if (x)\n    co_await store->look(g(1, 2));\n".replace(
              "if (x)\n", "if (x) {\n") + "}\n")},
         {"src/service/a.hpp": "Task<Result<Done>> commit(int);\n",
          "src/service/a.cpp": unit("f();\n(void)co_await commit(1);\n")}],
        [{"src/service/a.hpp": "Task<Result<Done>> commit(const Changes& changes);\n",
          "src/service/a.cpp": unit("const auto done = co_await ledger_.commit(changes);\n"
                                    "CO_TRY(auto x, co_await commit(changes));\n")},
         {"src/net/a.hpp": "Task<void> serve(Stream& stream);\n",
          "src/net/a.cpp": unit("co_await serve(stream);\n")},
         {"src/net/a.cpp": unit("co_await socket.async_wait(kind, asio::use_awaitable);\n")}],
    ),
    "json-braces": (
        [{"src/front/a.cpp": unit("return found ? json::value{to_json(*found)} : json::value();\n")},
         {"src/front/a.cpp": unit("const json::value body{members};\n")}],
        [{"src/front/a.cpp": unit("const json::value body(members);\njson::value none{};\n"
                                  "const json::value pairs{{1, 2}};\njson::object o{{1, x}};\n")}],
    ),
    "clocks": (
        [{"src/domain/a.cpp": unit("const auto now = std::chrono::system_clock::now();\n")},
         {"src/service/a.cpp": unit("const auto now = time(nullptr);\n")},
         {"src/service/a.cpp": unit("const auto start = std::chrono::steady_clock::now();\n")},
         {"src/service/a.cpp": unit("std::random_device chance;\n")},
         {"src/x509/a_test.cpp": unit("const int n = rand();\n")}],
        [{"src/base/world.cpp": unit("return std::chrono::system_clock::now();\n")},
         {"src/net/a.cpp": unit("const auto start = std::chrono::steady_clock::now();\n")},
         {"bench/a.cpp": unit("const auto start = std::chrono::steady_clock::now();\n")},
         {"src/x509/a.cpp": unit("const auto t = verdict.time(0);\nfinal_time(0);\n")},
         {"src/service/a.cpp": unit("asio::steady_timer timer(executor);\nclock_.now();\n")}],
    ),
    "licence": (
        [{"src/base/a.cpp": "int x;\n"}, {"tools/a.py": "import os\n"},
         {"run": "#!/usr/bin/env bash\nset -e\n"}],
        [{"src/base/a.cpp": HEAD}, {"run": "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"},
         {"README.md": "# Rollcall\n"}],
    ),
    "headers": (
        [{"src/base/a.hpp": unit("int x();\n")},
         {"src/base/a.cpp": unit("using namespace std;\n")}],
        [{"src/base/a.hpp": unit("#pragma once\nusing namespace std::chrono_literals;\n")},
         {"src/base/a_test.cpp": unit("using namespace rollcall::testing;\n")}],
    ),
    "braces": (
        [{"src/base/a.cpp": unit("if (x) return;\n")},
         {"src/base/a.cpp": unit("for (int i : f(x))\n    g(i);\n")},
         {"src/base/a.cpp": unit("if (x) {\n} else return;\n")}],
        [{"src/base/a.cpp": unit("if (f(x)) {\n} else if (y) {\n} else {\n}\n#if X\n#else\n#endif\n"
                                 "do {\n} while (x);\n// else we go\n")}],
    ),
    "dead-files": (
        [{"src/base/a.hpp": "", "src/base/a.cpp": unit('#include "base/a.hpp"\n')},
         {"tests/support/odd.hpp": ""}, {"tools/forgotten": "#!/bin/sh\n"},
         {"bench/lost.cpp": unit(""), "bench/CMakeLists.txt": "add_executable(other other_main.cc)"},
         {"docs/lonely.md": "# A page\n"}],
        [{"src/base/a.hpp": "", "src/x509/b.cpp": unit('#include "base/a.hpp"\n')},
         {"tests/support/odd.hpp": "", "src/x509/b_test.cpp": unit('#include "support/odd.hpp"\n')},
         {"docs/read.md": "# A page\n", "README.md": "[a page](docs/read.md)\n"},
         {"bench/used.cpp": unit(""), "bench/CMakeLists.txt": "add_executable(used used.cpp)"}],
    ),
    "one-machine": (
        [{"tools/a.sh": "cd /wo" "rk/shared\n"}, {"README.md": "see /ho" "me/ann/rollcall\n"},
         {"tests/device/package-lock.json": '{"reso' 'lved": "https://host/x.tgz"}\n'},
         {"tools/pip.conf": "index-" "url = x\n"}],
        [{"tools/a.sh": "cd ../shared/conformance\n"}, {"README.md": "the root/leaf, a/work/b\n"}],
    ),
    "unfinished": (
        [{"src/base/a.cpp": unit(f"// {LEFT}: later\n")},
         {"src/base/a_test.cpp": unit(f"{SKIP}() << 1;\n")},
         {"tests/device/a.mjs": "test.sk" "ip('x', () => {});\n"}],
        [{"src/base/a.cpp": unit(f"// {LEFT}(#12): later\n")}],
    ),
    # Looks at files, not at snippets: shown by hand in self_test().
    "format": ([], []),
}


def format_case(rules):
    """clang-format is asked about a file of the tree, so the bad one has to stand there."""
    import os
    import tempfile
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = []
    for text in (HEAD + "int   x  ;\n", HEAD + "int x;\n"):
        with tempfile.NamedTemporaryFile("w", suffix=".cpp", dir=top, prefix=".tidy-") as file:
            file.write(text)
            file.flush()
            found.append(list(rules["format"]({os.path.basename(file.name): text})))
    return bool(found[0]), not found[1]


def self_test(rules, check):
    wrong = []
    for name in rules:
        if name not in CASES:
            wrong.append(f"{name}: has no case")
    for name, (bad, good) in CASES.items():
        if name not in rules:
            wrong.append(f"{name}: a case without a rule")
            continue
        for number, tree in enumerate(bad):
            if not check(tree, {name}):
                wrong.append(f"{name}: bad snippet {number} is not caught")
        for number, tree in enumerate(good):
            for finding in check(tree, {name}):
                wrong.append(f"{name}: good snippet {number} is blamed: {finding}")
    caught, spared = format_case(rules)
    if not caught:
        wrong.append("format: a badly formatted file is not caught")
    if not spared:
        wrong.append("format: a well formatted file is blamed")
    for line in wrong:
        print(line)
    print(f"tidy --self-test: {sum(len(b) + len(g) for b, g in CASES.values()) + 2} snippets, "
          f"{len(wrong)} wrong")
    return 1 if wrong else 0
