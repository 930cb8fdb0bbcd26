# SPDX-License-Identifier: Apache-2.0
# A doorway to the CMake presets; HACKING.md has the commands behind it.
.PHONY: all setup release debug test asan tsan tidy bench fuzz format clean

all: release

release debug:
	@test -f build/$@/build.ninja || cmake --preset $@
	cmake --build --preset $@

setup:
	tools/setup

test:
	./test

asan:
	./test --asan

tsan:
	./test --tsan

tidy:
	tools/tidy --self-test
	tools/tidy

bench: release
	cmake --build --preset release --target bench
	bench/run
	bench/run --rounds 3 --only rollcall-1k --only rollcall-1m
	bench/mqtt
	bench/import
	bench/console
	bench/backup
	build/release/bench/bench_micro
	build/release/bench/bench_store
	build/release/bench/bench_service_query

fuzz:
	tools/fuzz

format:
	git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs -r clang-format-14 -i

clean:
	rm -rf build
