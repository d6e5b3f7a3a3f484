import { Converter, ReflectionKind } from 'typedoc'
import { names } from './typedoc.config.mjs'

/** A plugin: modules have the names by which they are imported. */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    if (reflection.kindOf(ReflectionKind.Module)) reflection.name = names.get(reflection.name) ?? reflection.name
  })
}
