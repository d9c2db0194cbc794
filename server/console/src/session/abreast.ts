/** Works through a list, a few items at once, in order. Owns nothing; the network and the crypto are the work's. */

/**
 * Do `work` on every item, at most `width` at once. Where one throws, none is begun any more; what is under way is
 * waited for, so that nothing goes on behind the back of whoever hears of it, and then the first error is thrown.
 */
export async function abreast<T>(items: Iterable<T>, width: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items].reverse();
  const errors: unknown[] = [];
  const next = async (): Promise<void> => {
    while (rest.length > 0) {
      try {
        await work(rest.pop() as T);
      } catch (error) {
        errors.push(error);
        rest.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: width }, next));
  if (errors.length > 0) throw errors[0];
}
