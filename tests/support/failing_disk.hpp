// SPDX-License-Identifier: Apache-2.0
// A disk that fails when told: a file layer for SQLite over the usual one.
#pragma once

#include <atomic>
#include <cstring>
#include <sqlite3.h>
#include <string>

namespace rollcall::test {

class FailingDisk {
public:
    enum class Failure { none, full, sync, read };

    /// Registers the layer under name().
    static void install() {
        static const bool installed = [] {
            static sqlite3_vfs layer = *sqlite3_vfs_find(nullptr);
            layer.zName = name();
            layer.szOsFile = static_cast<int>(sizeof(File)) + layer.szOsFile;
            layer.xOpen = open;
            return sqlite3_vfs_register(&layer, 0) == SQLITE_OK;
        }();
        (void)installed;
        failure() = Failure::none;
    }
    static const char* name() { return "failing-disk"; }
    static std::atomic<Failure>& failure() {
        static std::atomic<Failure> failure{Failure::none};
        return failure;
    }
    /// Syncs of write-ahead logs so far.
    static std::atomic<int>& log_syncs() {
        static std::atomic<int> syncs{0};
        return syncs;
    }

private:
    struct File {
        sqlite3_file base;
        bool is_log;
        sqlite3_file* real;
    };
    static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }
    static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
        auto* wrapped = reinterpret_cast<File*>(file);
        wrapped->real = reinterpret_cast<sqlite3_file*>(wrapped + 1);
        wrapped->is_log = (flags & SQLITE_OPEN_WAL) != 0;
        sqlite3_vfs* usual = sqlite3_vfs_find(nullptr);
        const int code = usual->xOpen(usual, path, wrapped->real, flags, out);
        static const sqlite3_io_methods methods = make_methods();
        wrapped->base.pMethods = code == SQLITE_OK ? &methods : nullptr;
        return code;
    }
    static sqlite3_io_methods make_methods() {
        sqlite3_io_methods methods{};
        methods.iVersion = 2;  // without memory mapping, which would read past us
        methods.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
        methods.xRead = [](sqlite3_file* f, void* data, int size, sqlite3_int64 at) {
            return failure() == Failure::read ? SQLITE_IOERR_READ
                                              : real(f)->pMethods->xRead(real(f), data, size, at);
        };
        methods.xWrite = [](sqlite3_file* f, const void* data, int size, sqlite3_int64 at) {
            return failure() == Failure::full ? SQLITE_FULL
                                              : real(f)->pMethods->xWrite(real(f), data, size, at);
        };
        methods.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
            return real(f)->pMethods->xTruncate(real(f), size);
        };
        methods.xSync = [](sqlite3_file* f, int flags) {
            if (failure() == Failure::sync) {
                return SQLITE_IOERR_FSYNC;
            }
            log_syncs() += reinterpret_cast<File*>(f)->is_log ? 1 : 0;
            return real(f)->pMethods->xSync(real(f), flags);
        };
        methods.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
            return real(f)->pMethods->xFileSize(real(f), size);
        };
        methods.xLock = [](sqlite3_file* f, int lock) {
            return real(f)->pMethods->xLock(real(f), lock);
        };
        methods.xUnlock = [](sqlite3_file* f, int lock) {
            return real(f)->pMethods->xUnlock(real(f), lock);
        };
        methods.xCheckReservedLock = [](sqlite3_file* f, int* out) {
            return real(f)->pMethods->xCheckReservedLock(real(f), out);
        };
        methods.xFileControl = [](sqlite3_file* f, int what, void* argument) {
            return real(f)->pMethods->xFileControl(real(f), what, argument);
        };
        methods.xSectorSize = [](sqlite3_file* f) {
            return real(f)->pMethods->xSectorSize(real(f));
        };
        methods.xDeviceCharacteristics = [](sqlite3_file* f) {
            return real(f)->pMethods->xDeviceCharacteristics(real(f));
        };
        methods.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
            return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
        };
        methods.xShmLock = [](sqlite3_file* f, int offset, int count, int flags) {
            return real(f)->pMethods->xShmLock(real(f), offset, count, flags);
        };
        methods.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
        methods.xShmUnmap = [](sqlite3_file* f, int remove) {
            return real(f)->pMethods->xShmUnmap(real(f), remove);
        };
        return methods;
    }
};

}  // namespace rollcall::test
