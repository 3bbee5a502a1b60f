import type { StructType } from "#src/index.js";
import fc from "../fastCheck.js";

/** Numbers of every size, for functions that must be the same to the last bit. */
export const NUMBER_COLUMNS: StructType = {
  type: "struct",
  fields: (
    [
      ["id", "integer"],
      ["x", "double"],
      ["y", "double"],
      ["u", "double"],
      ["z", "double"],
      ["ff", "float"],
    ] as const
  ).map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
};

const short = fc.tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.integer({ min: 0, max: 5 }));
const plain = short.map(([whole, digits]) => whole / 10 ** digits);

/** `z` may be any double, the others are such as people write. */
export const NUMBER_ROWS: readonly object[] = fc
  .sample(
    fc.record({
      x: fc.oneof(plain, fc.double({ min: -700, max: 700, noNaN: true })),
      y: fc.oneof(
        fc.double({ min: -10, max: 10, noNaN: true }),
        fc.integer({ min: -40, max: 40 }).map((n) => n / 4),
      ),
      u: fc.double({ min: -1, max: 1, noNaN: true }),
      z: fc.oneof(plain, fc.double({ noDefaultInfinity: true, noNaN: true })),
      ff: fc.float({ noDefaultInfinity: true, noNaN: true }),
    }),
    { numRuns: 2000, seed: 11 },
  )
  .map((row, id) => ({ id, ...row }));

export const NUMBER_EXPRESSIONS: readonly string[] = `
exp(x)
expm1(x)
ln(x)
ln(z)
log10(x)
log10(z)
log2(x)
log1p(x)
log(y, x)
pow(x, y)
power(abs(x), 2)
pow(abs(x), 0.5)
pow(z, 3)
cbrt(x)
cbrt(z)
hypot(x, y)
asin(u)
acos(u)
atan(x)
atan2(x, y)
cosh(y)
tanh(y)
asinh(x)
acosh(x)
atanh(u)
degrees(x)
radians(x)
pi()
e()
sqrt(z)
pow(z, y)
pow(y, id % 10)
pow(abs(z), -0.3)
hypot(z,x)
pow(10, id % 30)
pow(1.0000001, z)
pow(-x, id%5)
cast(round(x, 3) as string)
rint(x)
rint(y)
round(x, 1)
round(x)
round(y, 3)
bround(x, 1)
bround(y)
round(x, -1)
cast(x as decimal(10,2))
cast(y as decimal(20,10))
cast(y as decimal(38,18))
x % 0.7D
pmod(x, 7)
pmod(x, -2.5D)
cast(y as decimal(5,1))
round(id, -2)
bround(id, -1)
round(cast(x as decimal(10,3)), -2)
bround(cast(x as decimal(10,3)), 1)
round(cast(x as decimal(10,3)), 1)
cast(x as decimal(20,4)) / cast(y+20 as decimal(20,4))
cast(x as decimal(38,10)) * cast(y as decimal(38,10))
cast(x as decimal(38,10)) + cast(y as decimal(38,10))
cast(x as decimal(38,10)) - cast(y as decimal(38,2))
cast(x as decimal(30,10)) / cast(y+20 as decimal(38,10))
cast(x as decimal(38,10)) % cast(y+20 as decimal(38,2))
cast(x as decimal(20,3)) div cast(y+20 as decimal(20,4))
cast(x as decimal(20,10)) * cast(y as decimal(20,10))
cast(x as decimal(18,2)) * cast(y as decimal(18,6))
cast(x as decimal(18,2)) * id
pmod(cast(x as decimal(10,2)), 3)
cast(x as decimal(10,2)) / 3
cast(x as float) % 3F
pmod(cast(x as decimal(10,2)), -1.5)
pmod(id, 7)
pmod(-id, 7L)
z % 3D
cast(case when id % 2 = 0 then double('NaN') end as decimal(10,2))
`
  .split("\n")
  .filter((line) => line !== "");
