/** The public names, written out: whatever is not here does not exist, and whatever leaves here breaks a host. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";
import { ERROR_STATUS } from "../../plugin/errors.ts";

const CONTRACT_TYPES = [
  "AccountEvent",
  "AiCard",
  "AiChoice",
  "AiMedia",
  "AiResponse",
  "Alarm",
  "AlarmKind",
  "AmbiguityPolicy",
  "BilledConversation",
  "ButtonsMessage",
  "CallEvent",
  "CallMessage",
  "CarouselCard",
  "CarouselMessage",
  "CatalogMessage",
  "ChannelEvent",
  "ChannelPlugin",
  "ChoiceContent",
  "ConnectRequest",
  "Connection",
  "ConnectionState",
  "ContactCard",
  "ContactChangedEvent",
  "ContactsMessage",
  "Degradation",
  "EarlierChange",
  "EchoEvent",
  "EditEvent",
  "FlowEvent",
  "FlowMessage",
  "FormContent",
  "Header",
  "HeaderMedia",
  "HistoryEvent",
  "HistoryMessage",
  "HostEvent",
  "LinkMessage",
  "ListMessage",
  "LocationContent",
  "LocationMessage",
  "ManifestRoute",
  "MediaBytes",
  "MediaContent",
  "MediaKind",
  "MediaMessage",
  "MediaSource",
  "MessageClass",
  "MessageContent",
  "MessageEvent",
  "MessageStatus",
  "MetaError",
  "OnAmbiguous",
  "OnWindowClosed",
  "OrderContent",
  "OutboundMessage",
  "PartState",
  "Person",
  "PhoneNumberEvent",
  "PluginManifest",
  "PreferenceEvent",
  "Pricing",
  "ProductCarouselMessage",
  "ProductListMessage",
  "ProductMessage",
  "ProductReference",
  "RawMessage",
  "ReactionContent",
  "ReactionEvent",
  "ReactionMessage",
  "ReceiveResult",
  "ReceivedEvent",
  "ReceivedMedia",
  "Referral",
  "Reply",
  "RequestMessage",
  "RevokeEvent",
  "SendReceipt",
  "SendRequest",
  "SentPart",
  "SessionStatus",
  "SharedContact",
  "StandbyEvent",
  "StatusEvent",
  "TemplateButton",
  "TemplateChoice",
  "TemplateEvent",
  "TemplateMessage",
  "TemplateParams",
  "TemplateValue",
  "TemplateValues",
  "TextMessage",
  "Transformed",
  "Turn",
  "TurnMessage",
  "UnsupportedEvent",
  "WebhookDelivery",
];

type Names = { readonly values: readonly string[]; readonly types: readonly string[] };

const ENTRY_POINTS: Readonly<Record<string, Names>> = {
  ".": {
    values: [
      "ChannelError",
      "createChatApi",
      "createWhatsAppPlugin",
      "erase",
      "manifest",
      "openDeadLetters",
      "readTraffic",
      "replayUnknown",
      "rotateKeys",
      "runDoctor",
      "whatEraseDeletes",
      "whatsappConfigFromEnv",
    ],
    types: [
      ...CONTRACT_TYPES,
      "AlarmLimits",
      "AllowMetrics",
      "Authenticate",
      "ByteStream",
      "ChannelErrorOptions",
      "ChatApiOptions",
      "Erase",
      "EraseOptions",
      "ErasureCounts",
      "ErasureSubject",
      "CheckId",
      "DeadLetter",
      "DeadLetterQuery",
      "DeadLetterService",
      "DeadLetterStage",
      "Diagnosis",
      "DisconnectRequest",
      "DoctorRequest",
      "ErrorCode",
      "Finding",
      "InFrontOf",
      "KeyCount",
      "KeyRotation",
      "Logger",
      "ManagedTemplate",
      "MediaStore",
      "MetaLimitsGiven",
      "Metrics",
      "MetricsRegistry",
      "NumberState",
      "OnProgress",
      "OneTemplate",
      "PairLimit",
      "PartBacklog",
      "ReadAgain",
      "SampleRequest",
      "UploadSample",
      "Retention",
      "Retry",
      "RetrySchedule",
      "Permission",
      "Problem",
      "Router",
      "RunDoctorOptions",
      "Session",
      "Stage",
      "StageBacklog",
      "StoredDelivery",
      "StoredNumber",
      "StoredPerson",
      "StoredTraffic",
      "StoredTurn",
      "TemplateAccount",
      "TemplateFilter",
      "TemplateService",
      "TemplateSync",
      "TemplateToCreate",
      "TemplateToEdit",
      "ThroughputLevel",
      "Tick",
      "TickOptions",
      "TickReport",
      "TrafficQuery",
      "TrafficTemplate",
      "UnreadableValue",
      "WhatsAppConfigInput",
      "WhatsAppPlugin",
      "WhatsAppPluginOptions",
    ].sort(),
  },
  "./contract": { values: [], types: CONTRACT_TYPES },
  "./migrations": {
    values: ["migrate", "migrateDown", "migrationStatus", "planMigrations", "unlockMigrations", "whatDownDeletes"],
    types: ["DownPlan", "MigrateOptions", "MigrationPlan", "MigrationStatus", "PlanOptions"],
  },
  "./simulator": {
    values: [
      "INBOUND_MESSAGES",
      "PHONE_CSS",
      "createSimulator",
      "drawMessages",
      "escapedJson",
      "signatureOf",
      "signedRequestOf",
    ],
    types: [
      "AcceptedMessage",
      "AccountChanges",
      "AccountUpdates",
      "AppUsage",
      "ArmedFault",
      "BatchedMessage",
      "CallbackAnswer",
      "CallbackOptions",
      "Callbacks",
      "Choice",
      "Clock",
      "Conversation",
      "Delivery",
      "DeliveryAttempt",
      "DeliveryKind",
      "DownloadFault",
      "Fault",
      "FaultKind",
      "Faults",
      "GraphEndpoint",
      "GraphErrorSpec",
      "InboundOptions",
      "InjectedFault",
      "IssueTokenOptions",
      "KeptMedia",
      "LeavingEvent",
      "LeavingOptions",
      "Login",
      "LoginDecision",
      "LoginOptions",
      "MediaDownload",
      "NumberChanges",
      "NumberState",
      "Person",
      "PersonOptions",
      "PersonRecord",
      "RandomFaults",
      "Refusal",
      "SentMedia",
      "SimulatedAccount",
      "SimulatedFile",
      "SimulatedHealth",
      "SimulatedNumber",
      "SimulatedTemplate",
      "Simulator",
      "SimulatorOptions",
      "StatusDelays",
      "TemplateChanges",
      "Templates",
      "Ticks",
      "TranscriptEntry",
      "UploadedMedia",
      "WebhookFaults",
      "WireObject",
    ],
  },
  "./testing": {
    values: [
      "createScrubber",
      "describeChannelPlugin",
      "describeReplay",
      "findLeaks",
      "makeRecording",
      "readFixtures",
      "readManifest",
      "readPayload",
      "replayFixtures",
      "reportHtml",
      "retime",
      "startReplayHost",
      "whatsappMatchers",
      "writeRecording",
    ],
    types: [
      "Change",
      "ChannelUnderTest",
      "Colours",
      "Comparison",
      "Fixture",
      "HtmlOptions",
      "Leak",
      "MadeRecording",
      "Manifest",
      "Output",
      "Payload",
      "PromisedSend",
      "RecordedMessage",
      "RecordedNumber",
      "RecordedPerson",
      "Recording",
      "RecordingOptions",
      "ReplayHost",
      "ReplayHostOptions",
      "ReplayOptions",
      "ReplayResult",
      "ReplayedConversation",
      "ReplayedRow",
      "Row",
      "ScrubOptions",
      "Scrubber",
      "Sent",
      "TestRunner",
      "TextMode",
      "WhatsAppMatchers",
    ],
  },
  "./s3": { values: ["createS3MediaStore"], types: ["S3MediaStoreOptions"] },
  "./connect-element": { values: ["WhatsAppConnect"], types: ["Onboarding", "OnboardingAnswer", "TextsInput"] },
};

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const text = (path: string) => readFileSync(root(path), "utf8");

/** `./dist/plugin/index.js` → the source it is built from; the element's is JavaScript itself. */
function sourceOf(entry: string): string {
  const { exports } = JSON.parse(text("package.json")) as { exports: Record<string, { default: string }> };
  const path = exports[entry]!.default.replace("./dist/", "");
  return path.startsWith("ui/") ? path : path.replace(/\.js$/, ".ts");
}

function symbolsOf(entry: string, program: ts.Program): readonly ts.Symbol[] {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(root(sourceOf(entry)));
  return checker.getExportsOfModule(checker.getSymbolAtLocation(file!)!);
}

function unaliased(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

function namesOf(entry: string, program: ts.Program): Names {
  const checker = program.getTypeChecker();
  const symbols = symbolsOf(entry, program);
  const isValue = (symbol: ts.Symbol): boolean => (unaliased(symbol, checker).flags & ts.SymbolFlags.Value) !== 0;
  const sorted = (some: readonly ts.Symbol[]) => some.map(({ name }) => name).sort();
  return {
    values: sorted(symbols.filter(isValue)),
    types: sorted(symbols.filter((symbol) => !isValue(symbol))),
  };
}

describe("the package", () => {
  it("has these entry points and no other", () => {
    const { exports } = JSON.parse(text("package.json")) as { exports: object };

    expect(Object.keys(exports)).toEqual([...Object.keys(ENTRY_POINTS), "./plugin.manifest.json", "./package.json"]);
  });

  let program: ts.Program;
  beforeAll(() => {
    const files = Object.keys(ENTRY_POINTS).map((entry) => root(sourceOf(entry)));
    const { config } = ts.readConfigFile(root("tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root("."));
    program = ts.createProgram(files, { ...options, lib: ["lib.es2023.d.ts", "lib.dom.d.ts"] });
  }, 60_000);

  it("exports these values and types, and no other", { timeout: 30_000 }, () => {
    for (const [entry, names] of Object.entries(ENTRY_POINTS))
      expect([entry, namesOf(entry, program)]).toEqual([entry, names]);
  });

  it("explains each of them in a docstring", { timeout: 30_000 }, () => {
    const checker = program.getTypeChecker();
    // The element is JavaScript, whose types are named elsewhere.
    for (const entry of Object.keys(ENTRY_POINTS).filter((one) => one !== "./connect-element")) {
      const unexplained = symbolsOf(entry, program).filter(
        (symbol) => unaliased(symbol, checker).getDocumentationComment(checker).length === 0,
      );
      expect([entry, unexplained.map(({ name }) => name)]).toEqual([entry, []]);
    }
  });

  it("tells the host of these kinds of events, each with an example in docs/reference/events.md", () => {
    const checker = program.getTypeChecker();
    const symbol = symbolsOf(".", program).find(({ name }) => name === "HostEvent") as ts.Symbol;
    const type = checker.getDeclaredTypeOfSymbol(unaliased(symbol, checker)) as ts.UnionType;
    const kinds = type.types.map((one) => {
      const kind = checker.getTypeOfSymbol(one.getProperty("kind") as ts.Symbol) as ts.StringLiteralType;
      return kind.value;
    });
    const page = text("docs/reference/events.md");

    expect([...page.matchAll(/^## ([a-z-]+)$/gm)].map(([, heading]) => heading).sort()).toEqual(kinds.sort());
    for (const kind of kinds) expect(page).toContain(`: HostEvent = {\n  kind: "${kind}",`);
  });

  it("really has those values at run time", async () => {
    for (const [entry, { values }] of Object.entries(ENTRY_POINTS)) {
      const module = (await import(root(sourceOf(entry)))) as object;
      expect([entry, Object.keys(module).sort()]).toEqual([entry, values]);
    }
  });

  it("explains every error code, each under a heading of its own with when and what to do", () => {
    const sections = text("docs/errors.md").split(/^## /m).slice(1);
    const codes = sections.map((section) => section.split("\n")[0]!);

    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).toEqual(expect.arrayContaining(Object.keys(ERROR_STATUS)));
    for (const section of sections) {
      const code = section.split("\n")[0]!;
      expect(section).toMatch(/\*\*When:\*\* \S/);
      expect(section).toMatch(/\*\*Do:\*\* \S/);
      const given = /(?:\(|Answered )(\d{3})\b/.exec(section)?.[1];
      if (code in ERROR_STATUS)
        expect([code, given]).toEqual([code, String(ERROR_STATUS[code as keyof typeof ERROR_STATUS])]);
    }
  });

  it("explains every code that a part or a migration may carry", () => {
    const sources = [
      "adapters/postgres/outbox.ts",
      "plugin/pipeline/decide-next.ts",
      "migrations/index.ts",
      "migrations/host-table-fit.ts",
    ];
    const codes = sources.flatMap((path) =>
      [...text(path).matchAll(/"([A-Z]+(?:_[A-Z]+)+)"/g)].map(([, code]) => code),
    );

    expect(codes.length).toBeGreaterThan(5);
    for (const code of new Set(codes)) expect(text("docs/errors.md")).toContain(`\n## ${code}\n`);
  });
});
