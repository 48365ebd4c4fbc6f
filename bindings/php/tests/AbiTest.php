<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use FFI;
use PHPUnit\Framework\TestCase;
use ReflectionClass;
use Wsgate\CloseCause;
use Wsgate\Internal\Abi;
use Wsgate\Internal\Library;
use Wsgate\Internal\Pump;
use Wsgate\LogLevel;
use Wsgate\Status;

/** What PHP repeats of the library's numbers is what wsgate.cdef.h says. */
final class AbiTest extends TestCase
{
    /** @return iterable<string, array{string, array<string, int>}> */
    public static function enums(): iterable
    {
        $cases = static fn (string $enum): array => array_column($enum::cases(), 'value', 'name');
        yield 'Status' => ['wsgate_status', $cases(Status::class)];
        yield 'CloseCause' => ['wsgate_close_cause', $cases(CloseCause::class)];
        yield 'LogLevel' => ['wsgate_log_level', $cases(LogLevel::class)];
    }

    /** @dataProvider enums */
    public function testAnEnumHasTheLibrarysCases(string $type, array $cases): void
    {
        $expected = self::constants($type);
        unset($expected['OK']);
        self::assertSame($expected, array_change_key_case($cases, CASE_UPPER));
    }

    public function testTheConstantsAreTheLibrarys(): void
    {
        $kinds = self::constants('wsgate_event_kind');
        $flags = self::constants('wsgate_event_flag');
        $ops = self::constants('wsgate_op');
        $record = ['SIZE' => FFI::sizeof(Library::load()->new('wsgate_record'))];
        foreach (self::constants('wsgate_record_flag') as $name => $value) {
            $record["FLAG_$name"] = $value;
        }
        $sends = [];
        foreach (self::constants('wsgate_send_flag') as $name => $value) {
            $sends["FLAG_$name"] = $value;
        }
        foreach ((new ReflectionClass(Abi::class))->getConstants() as $name => $value) {
            [$group, $rest] = explode('_', $name, 2) + [1 => ''];
            match ($group) {
                'EVENT' => self::assertSame($kinds[$rest], $value, $name),
                'FLAG' => self::assertSame($flags[$rest], $value, $name),
                'OP' => self::assertSame($ops[$rest], $value, $name),
                'SEND' => self::assertSame($sends[$rest], $value, $name),
                'RECORD' => self::assertSame($record[$rest], $value, $name),
                'VERSION' => self::assertSame(Library::load()->wsgate_abi_version(), $value),
            };
        }
        $pump = new ReflectionClass(Pump::class);
        self::assertSame($kinds['MESSAGE'], $pump->getConstant('MESSAGE'));
        self::assertSame($flags['BINARY'] << 32, $pump->getConstant('BINARY'));
    }

    public function testAnEventsWordsAreItsFields(): void
    {
        $ffi = Library::load();
        $event = $ffi->new('wsgate_event');
        self::assertSame(64, FFI::sizeof($event));
        $event->kind = 1;
        $event->flags = 2;
        $event->client = 3;
        $event->data = $ffi->cast('void *', 5);
        $event->length = 6;
        $event->code = 7;
        $event->endpoint = 8;
        $event->value = 9;
        $words = $ffi->cast('uint64_t[8]', $event);
        $at = static fn (string $name): int => $words[(new ReflectionClass(Pump::class))->getConstant($name)];
        self::assertSame(1 | 2 << 32, $at('KIND_AND_FLAGS'));
        self::assertSame(3, $at('CLIENT'));
        self::assertSame(5, $at('DATA'));
        self::assertSame(6, $at('LENGTH'));
        self::assertSame(7 | 8 << 32, $at('CODE_AND_ENDPOINT'));
        self::assertSame(9, $at('VALUE'));
    }

    public function testABatchsWordsAreItsFields(): void
    {
        $ffi = Library::load();
        $batch = $ffi->new('wsgate_batch');
        $batch->events = $ffi->cast('wsgate_event *', 1);
        $batch->event_size = 2;
        $batch->payload = $ffi->cast('void *', 4);
        $batch->payload_length = 5;
        $words = $ffi->cast('uint64_t[6]', $batch);
        $at = static fn (string $name): int => $words[(new ReflectionClass(Pump::class))->getConstant($name)];
        self::assertSame([1, 2, 4, 5], [$at('EVENTS'), $at('EVENT_SIZE'), $at('PAYLOAD'), $at('PAYLOAD_LENGTH')]);
    }

    public function testARecordIsLaidOutAsOutgoingPacksIt(): void
    {
        $record = Library::load()->new('wsgate_record');
        $record->op = 1;
        $record->flags = 2;
        $record->size = 3;
        $record->target = 4;
        $record->ticket = 5;
        $record->ids = 6;
        $record->length = 7;
        self::assertSame(pack('vvVPPVV', 1, 2, 3, 4, 5, 6, 7), FFI::string(FFI::addr($record), Abi::RECORD_SIZE));
    }

    /** @return array<string, int> the constants of an enum, without its prefix */
    private static function constants(string $type): array
    {
        $cdef = file_get_contents(__DIR__ . '/../src/wsgate.cdef.h');
        self::assertSame(1, preg_match("/^typedef enum $type \{(.*?)\} $type;/ms", $cdef, $body));
        $prefix = strtoupper($type);
        preg_match_all("/{$prefix}_(\w+) = (-?\d+)/", $body[1], $pairs);
        self::assertNotEmpty($pairs[1]);
        return array_combine($pairs[1], array_map(intval(...), $pairs[2]));
    }
}
