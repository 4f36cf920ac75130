/** Columns of numbers that grow: what observers write to while traffic runs, because objects per packet would cost too much. */

type NumberArray = Float64Array | Uint32Array | Uint16Array | Uint8Array;
type NumberArrayType = { new (length: number): NumberArray };

/** The arrays of a shape such as `{ timeNs: Float64Array, flags: Uint8Array }`. */
export type Columns<Shape extends Record<string, NumberArrayType>> = {
  [Name in keyof Shape]: InstanceType<Shape[Name]>;
};

/** New columns of `rows` zeros each. */
export function newColumns<Shape extends Record<string, NumberArrayType>>(shape: Shape, rows: number): Columns<Shape> {
  return mapColumns(shape, (type) => new type(rows));
}

/** The same columns with twice the room. */
export function doubled<Shape extends Record<string, NumberArrayType>>(
  shape: Shape,
  columns: Columns<Shape>,
): Columns<Shape> {
  return mapColumns(shape, (type, name) => {
    const old = columns[name] as NumberArray;
    const wider = new type(old.length * 2);
    wider.set(old);
    return wider;
  });
}

/** The first `rows` rows in the order of their time: the same memory where they are in order already, else copies. */
export function sortedByTime<Shape extends Record<string, NumberArrayType> & { timeNs: typeof Float64Array }>(
  shape: Shape,
  columns: Columns<Shape>,
  rows: number,
): Columns<Shape> {
  const times = columns.timeNs as Float64Array;
  let sorted = true;
  for (let row = 1; row < rows && sorted; row++) sorted = times[row - 1] <= times[row];
  if (sorted) return mapColumns(shape, (_type, name) => (columns[name] as NumberArray).subarray(0, rows));
  const order = Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => times[a] - times[b] || a - b);
  return mapColumns(shape, (type, name) => {
    const old = columns[name] as NumberArray;
    const result = new type(rows);
    for (let row = 0; row < rows; row++) result[row] = old[order[row]];
    return result;
  });
}

function mapColumns<Shape extends Record<string, NumberArrayType>>(
  shape: Shape,
  make: (type: NumberArrayType, name: keyof Shape) => NumberArray,
): Columns<Shape> {
  return Object.fromEntries(
    Object.entries(shape).map(([name, type]) => [name, make(type, name)]),
  ) as unknown as Columns<Shape>;
}
